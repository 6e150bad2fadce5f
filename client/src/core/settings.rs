//! What a core starts with.

use protocol::Epoch;
use protocol::frames::StreamPosition;

/// What a core starts with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Determines every wait that is spread by chance.
    pub seed: u32,
    /// Name and version, for the server's logs.
    pub client: Option<String>,
    /// The access token; absent where it is fetched first.
    pub token: Option<String>,
    /// The epoch that the positions are of.
    pub epoch: Option<Epoch>,
    /// What the app has kept of an earlier life.
    pub positions: Vec<StreamPosition>,
    /// How many commands may wait for their answers.
    pub queue_max: usize,
    /// How many commands may fly at once.
    pub in_flight_max: usize,
    /// How many changes of one conversation may fly at once. With more than one, a refused one may be overtaken.
    pub lane_depth: usize,
    /// A command that is not answered in this time is sent again.
    pub answer_within_ms: u64,
    /// The longest wait for the next connection; what the server asks for is not cut. Tests that kill servers keep it short.
    pub reconnect_within_ms: u64,
    /// With this many events waiting for the app, no more frames are wanted.
    pub events_waiting_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            client: None,
            token: None,
            epoch: None,
            positions: Vec::new(),
            queue_max: 1_000,
            in_flight_max: 32,
            lane_depth: 1,
            answer_within_ms: 10_000,
            reconnect_within_ms: 25_000,
            events_waiting_max: 256,
        }
    }
}
