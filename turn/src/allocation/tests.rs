use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn peer(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, last], port))
}

#[test]
fn no_lifetime_reaches_beyond_the_credentials() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + seconds(120), 0);
    assert_eq!(allocation.set_lifetime(now, None, now + seconds(120)), 120);
    assert_eq!(allocation.set_lifetime(now + seconds(100), Some(3_600), now + seconds(120)), 20);
    assert_eq!(allocation.ends_at(), now + seconds(120));
    // Later credentials of the same name.
    assert_eq!(allocation.set_lifetime(now + seconds(110), Some(60), now + seconds(400)), 60);
    assert_eq!(allocation.set_lifetime(now + seconds(110), Some(9_999), now + HOUR * 9), 3_600);
    // Earlier ones take nothing back: what the later ones granted was granted.
    assert_eq!(allocation.set_lifetime(now + seconds(110), Some(600), now + seconds(120)), 600);
    assert_eq!(allocation.left_s(now + seconds(120)), 590);
}

#[test]
fn an_allocation_that_is_over_carries_nothing() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + seconds(60), 0);
    allocation.bind(now, 0x4000, peer(1, 7)).unwrap();
    assert!(allocation.is_permitted(now + seconds(59), peer(1, 0).ip()));
    assert!(!allocation.is_permitted(now + seconds(60), peer(1, 0).ip()));
    assert_eq!(allocation.peer_of(now + seconds(60), 0x4000), None);
}

#[test]
fn permissions_and_channels_end_by_themselves_and_are_kept_by_asking_again() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + HOUR, 0);
    allocation.bind(now, 0x4000, peer(1, 7)).unwrap();
    assert_eq!(allocation.peer_of(now + seconds(299), 0x4000), Some(peer(1, 7)));
    assert_eq!(allocation.peer_of(now + seconds(300), 0x4000), None, "the permission is over");
    assert_eq!(allocation.channel_of(now + seconds(300), peer(1, 7)), Some(0x4000), "the channel is not");
    assert!(allocation.permit(now + seconds(300), &[peer(1, 0).ip()]));
    assert_eq!(allocation.peer_of(now + seconds(599), 0x4000), Some(peer(1, 7)));
    assert_eq!(allocation.peer_of(now + seconds(600), 0x4000), None, "the channel is over");
    assert!(allocation.is_permitted(now + seconds(599), peer(1, 0).ip()));
}

#[test]
fn a_channel_names_one_peer_and_a_peer_has_one_channel() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + HOUR, 0);
    allocation.bind(now, 0x4000, peer(1, 7)).unwrap();
    assert_eq!(allocation.bind(now, 0x4000, peer(1, 8)), Err(NoChannel::Conflict));
    assert_eq!(allocation.bind(now, 0x4001, peer(1, 7)), Err(NoChannel::Conflict));
    assert_eq!(allocation.bind(now, 0x4000, peer(1, 7)), Ok(()));
    assert_eq!(allocation.bind(now + seconds(600), 0x4001, peer(1, 7)), Ok(()), "free again");
}

#[test]
fn peers_are_bounded_and_come_all_or_none() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + HOUR, 0);
    let all: Vec<IpAddr> = (0..PEERS_MAX as u8).map(|last| peer(last, 0).ip()).collect();
    assert!(allocation.permit(now, &all[1..]));
    assert!(!allocation.permit(now, &[all[0], peer(200, 0).ip()]));
    assert!(!allocation.is_permitted(now, all[0]));
    assert!(allocation.permit(now, &all));
    assert_eq!(allocation.bind(now, 0x4000, peer(200, 1)), Err(NoChannel::Full));
    assert!(allocation.permit(now + seconds(300), &[peer(200, 0).ip()]), "the old ones are over");
    for port in 1..=PEERS_MAX as u16 {
        assert_eq!(allocation.bind(now, 0x4000 + port, peer(1, port)), Ok(()));
    }
    assert_eq!(allocation.bind(now, 0x5000, peer(1, 999)), Err(NoChannel::Full));
}

#[test]
fn what_is_carried_is_paced_in_each_direction_apart() {
    let now = Instant::now();
    let mut allocation = Allocation::new(now, now + HOUR, 64_000);
    let carried = (0..100).filter(|_| allocation.spend(now, Direction::ToPeer, 1_000)).count();
    assert_eq!(carried, 62, "a second's worth at once, in whole pieces");
    assert!(allocation.spend(now, Direction::ToClient, 1_000));
    assert!(allocation.spend(now + seconds(1), Direction::ToPeer, 1_000));
    let mut free = Allocation::new(now, now + HOUR, 0);
    assert!((0..1_000).all(|_| free.spend(now, Direction::ToPeer, 65_000)));
}

proptest! {
    #[test]
    fn it_never_outlives_its_credentials_and_never_grows_beyond_its_bound(
        steps in proptest::collection::vec((0u64..200, 0u8..3, any::<u8>(), any::<u16>(), any::<u32>()), 1..200),
    ) {
        let began = Instant::now();
        let authorised = began + seconds(1_000);
        let (mut allocation, mut now) = (Allocation::new(began, authorised, 0), began);
        for (step, action, last, number, wanted) in steps {
            now += seconds(step);
            match action {
                0 => drop(allocation.set_lifetime(now, Some(wanted), authorised)),
                1 => drop(allocation.permit(now, &[peer(last, 0).ip()])),
                _ => drop(allocation.bind(now, 0x4000 | (number & 0xFF), peer(last, number | 1))),
            }
            prop_assert!(allocation.ends_at() <= authorised.max(now));
            prop_assert!(allocation.permissions.len() <= PEERS_MAX && allocation.channels.len() <= PEERS_MAX);
            prop_assert_eq!(allocation.channels.len(), allocation.numbers.len());
            for (number, channel) in &allocation.channels {
                prop_assert_eq!(allocation.numbers.get(&channel.peer), Some(number));
            }
            if now >= authorised {
                prop_assert!(!allocation.is_permitted(now, peer(last, 0).ip()));
            }
        }
    }
}
