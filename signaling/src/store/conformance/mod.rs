//! What every store of calls has to hold, sentence by sentence, and against a naive model under random use.
//!
//! A store joins with a [`Home`] of its own and `conforms!(TheHome)`; nothing here knows what is behind the trait. The model has to hold the
//! same sentences, so that they say what is promised and not what one implementation happens to do.

pub(super) mod deadlines;
pub(super) mod examples;
pub(super) mod forgetting;
pub(super) mod history;
pub(super) mod keeping;
mod model;
pub(super) mod outputs;
pub(super) mod random;
pub(super) mod restart;

use protocol::Millis;

use super::CallStore;
use model::InMemory;

/// When every test begins.
pub(crate) const T0: Millis = 1_800_000_000_000;

/// Where a store of one kind lives for the length of one test.
pub(crate) trait Home: Sized {
    /// The store.
    type Store: CallStore;

    /// A new and empty one, whose clock stands at [`T0`].
    async fn new() -> Self;

    /// Another one, new and empty, in the place of this one: what takes long to start may go on.
    async fn anew(self) -> Self {
        drop(self);
        Self::new().await
    }

    /// The store as it is open now.
    fn store(&self) -> &Self::Store;

    /// Lets time go by, for this store alone.
    fn advance(&self, ms: Millis);

    /// The process ends and another one opens what it left.
    async fn reopen(self) -> Self;
}

/// Holds a store to everything; in a module of its own.
macro_rules! conforms {
    ($home:ty) => {
        $crate::store::conformance::conforms! { $home:
            keeping::a_call_is_read_as_it_was_kept,
            keeping::a_call_of_the_most_people_is_kept_too,
            keeping::a_conversation_has_one_live_call,
            keeping::of_a_hundred_who_start_at_once_one_does,
            keeping::the_same_client_id_names_the_same_call,
            keeping::a_call_that_is_over_from_the_start_takes_nobodys_place,
            keeping::a_change_judged_on_another_version_changes_nothing,
            keeping::of_changes_at_once_one_wins,
            keeping::what_is_over_frees_its_conversation_and_stays_over,
            keeping::who_holds_a_place_is_busy_elsewhere,
            keeping::live_calls_are_listed_page_by_page,
            deadlines::nothing_is_leased_before_its_time,
            deadlines::a_deadline_is_leased_once_while_its_lease_lasts_and_again_afterwards,
            deadlines::what_was_due_first_is_leased_first,
            deadlines::the_next_version_sets_the_deadline_anew_whoever_leased_the_last_one,
            deadlines::of_workers_at_once_each_leases_others,
            outputs::a_calls_outputs_are_leased_one_after_the_other,
            outputs::an_output_whose_worker_dies_is_leased_again,
            outputs::what_was_performed_does_not_come_back,
            outputs::what_is_postponed_holds_up_its_own_call_only,
            outputs::of_workers_at_once_each_performs_others,
            history::a_call_that_is_over_stands_in_everyones_history,
            history::history_is_read_page_by_page_the_latest_first,
            history::missed_calls_count_until_they_are_seen,
            forgetting::states_are_forgotten_after_a_day_and_what_they_left_is_not,
            forgetting::history_is_forgotten_by_its_age,
            forgetting::calls_that_were_over_lately_are_listed_the_latest_first,
            restart::a_restart_loses_nothing,
        }

        #[test]
        fn it_does_what_the_model_does() {
            $crate::store::conformance::random::it_does_what_the_model_does::<$home>();
        }
    };
    ($home:ty: $($subject:ident::$sentence:ident,)+) => {
        $(
            #[tokio::test]
            async fn $sentence() {
                $crate::store::conformance::$subject::$sentence(<$home as $crate::store::conformance::Home>::new().await).await;
            }
        )+
    };
}
pub(crate) use conforms;

mod the_model {
    super::conforms!(super::InMemory);
}
