//! The core against a server that loses lines, answers and resume buffers, restarts, refuses and dawdles: on virtual time, by
//! seed.

use crate::world::{Chaos, World};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_doubled_or_reordered_and_every_command_is_answered_once(
        seed in any::<u32>(),
        chaos in (0u64..40, 0u64..40, 0u64..30, 0u64..20, any::<bool>()).prop_map(
            |(drop, refuse, forget, skip, slow_app)| Chaos { drop, refuse, forget, skip, slow_app },
        ),
        commands in 1usize..60,
        others in 0usize..80,
    ) {
        let mut world = World::new(seed, chaos);
        world.run(commands, others);
        world.judge();
    }
}

#[test]
fn more_positions_than_fit_in_one_sync_go_in_several() {
    let mut world = World::new(7, Chaos::default());
    world.follow_many(1_201);
    world.run(3, 10);
    world.judge();
    assert_eq!(world.server.sync_pages, [500, 500, 201]);
}
