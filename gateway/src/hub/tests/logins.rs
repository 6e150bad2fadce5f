//! A login has several connections, as a browser has tabs: they live and drop apart, and are never too many.

use link::Head;
use protocol::Position;
use protocol::limits::CONNECTIONS_PER_LOGIN_MAX;

use super::*;

/// One connection of the first user's login, which is welcomed and in step.
fn open(hub: &Hub, login: SessionId) -> Arc<Conn> {
    open_as(hub, login, ConnectionIdentity::new())
}

/// The same, under an identity.
fn open_as(hub: &Hub, login: SessionId, identity: ConnectionIdentity) -> Arc<Conn> {
    let own = StreamId::user(user(0));
    let session = Session::new(hub.settings(), Codec::Json, own, TOKEN, clock::now());
    let conn = hub.register(user(0), login, identity, session);
    let mut session = conn.session();
    let welcome = session.codec().pong();
    session.welcome(vec![Head { stream: own, position: Position::default() }], welcome);
    session.synced();
    drop(session);
    conn
}

fn taken_over(conn: &Conn) -> bool {
    conn.session().closing().map(|close| close.code) == Some(CloseCode::TakenOver)
}

fn resume(hub: &Hub, conn: &Arc<Conn>) -> bool {
    let welcome = conn.session().codec().pong();
    hub.resume(conn, TOKEN, welcome).is_some()
}

fn park(hub: &Hub, conn: &Arc<Conn>) {
    let socket = conn.session().socket();
    assert!(hub.detach(conn, socket, Keep::Parked));
}

#[tokio::test(start_paused = true)]
async fn two_connections_of_a_login_live_apart_and_a_resume_concerns_the_one_it_names() {
    let mut world = World::of(&[0, 0], 100_000).await;
    world.settle().await;
    let [one, other] = [0, 1].map(|number: usize| Arc::clone(&world.devices[number].conn));
    assert_ne!(one.id, other.id);
    let event = world.logs.append(StreamId::user(user(0)), Vec::new());
    world.hub.hints(&[event]);
    world.settle().await;
    assert!(world.devices.iter().all(|device| device.positions[&StreamId::user(user(0))] == 1));

    // A second socket resumes one of them while the first still holds it.
    let found = world.hub.find(user(0), one.login, one.secret).unwrap();
    assert!(Arc::ptr_eq(&found, &one));
    assert!(resume(&world.hub, &one));
    assert_eq!((one.session().socket(), other.session().socket()), (1, 0));
    assert!(other.session().closing().is_none());
    assert!(world.hub.find(user(0), SessionId::now(), one.secret).is_none(), "another login's");
    assert!(world.hub.find(user(1), one.login, one.secret).is_none(), "somebody else's");
}

#[tokio::test(start_paused = true)]
async fn a_device_is_here_while_its_own_connection_is() {
    let world = World::of(&[0, 0], 100_000).await;
    let [one, other] = [0, 1].map(|number: usize| Arc::clone(&world.devices[number].conn));
    park(&world.hub, &one);
    assert!(!world.hub.is_here(one.device()));
    assert!(world.hub.is_here(other.device()));
    assert_eq!(world.hub.devices(), [other.device()]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_under_an_identity_takes_the_place_of_its_older_self() {
    let world = World::new(0, 100_000).await;
    let (login, identity) = (SessionId::now(), ConnectionIdentity::new());
    let (older, tab) = (open_as(&world.hub, login, identity), open(&world.hub, login));
    let newer = open_as(&world.hub, login, identity);
    assert!(taken_over(&older) && older.session().gone && !taken_over(&tab));
    assert!(Arc::ptr_eq(&world.hub.find(user(0), login, identity.secret).unwrap(), &newer));
    // The older one's socket is gone only now.
    park(&world.hub, &tab);
    world.hub.detach(&older, 0, Keep::Parked);
    assert!(world.hub.is_here(newer.device()));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_login_loses_all_its_connections_and_no_other() {
    let world = World::new(0, 100_000).await;
    let [login, other] = [SessionId::now(), SessionId::now()];
    let tabs = [open(&world.hub, login), open(&world.hub, login)];
    let elsewhere = open(&world.hub, other);
    park(&world.hub, &tabs[1]);
    world.hub.revoke(user(0), link::Revoked::Session(login));
    assert_eq!(tabs[0].session().closing().map(|close| close.code), Some(CloseCode::Revoked));
    assert!(tabs.iter().all(|conn| conn.session().gone && !resume(&world.hub, conn)));
    assert!(elsewhere.session().closing().is_none() && !elsewhere.session().gone);
    assert_eq!(world.hub.parked.load(Ordering::Relaxed), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Open,
    Park(usize),
    Resume(usize),
    Close(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Open),
        3 => any::<usize>().prop_map(Step::Park),
        1 => any::<usize>().prop_map(Step::Resume),
        1 => any::<usize>().prop_map(Step::Close),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn one_too_many_ends_the_longest_parked_or_the_oldest_and_the_parked_are_counted(steps in steps()) {
        let logs = Logs::new();
        let settings = Settings { queue_bytes: 1_000, slow_after_ms: 1_000, unacked_max: 8, budget: Budget::new(usize::MAX) };
        let hub = Hub::new(logs as Arc<dyn Service>, settings, 100);
        let login = SessionId::now();
        let elsewhere = open(&hub, SessionId::now());
        // The login's connections, the oldest first; and those of them that wait, the longest first.
        let mut conns: Vec<Arc<Conn>> = Vec::new();
        let mut parked: Vec<Arc<Conn>> = Vec::new();
        for step in steps {
            let pick = |at: usize, among: &[Arc<Conn>]| (!among.is_empty()).then(|| Arc::clone(&among[at % among.len()]));
            match step {
                Step::Open => {
                    if conns.len() == CONNECTIONS_PER_LOGIN_MAX {
                        // In one millisecond several may have been parked: then the oldest of those goes.
                        let until = parked.first().and_then(|conn| conn.session().parked_until());
                        let goes = conns.iter().position(|conn| conn.session().parked_until() == until).unwrap();
                        let victim = conns.remove(goes);
                        let was_parked = parked.iter().any(|conn| Arc::ptr_eq(conn, &victim));
                        parked.retain(|conn| !Arc::ptr_eq(conn, &victim));
                        conns.push(open(&hub, login));
                        prop_assert!(victim.session().gone);
                        prop_assert_eq!(taken_over(&victim), !was_parked);
                        prop_assert!(!resume(&hub, &victim));
                    } else {
                        conns.push(open(&hub, login));
                    }
                }
                Step::Park(at) => if let Some(conn) = pick(at, &conns).filter(|conn| conn.session().is_attached()) {
                    park(&hub, &conn);
                    parked.push(conn);
                },
                Step::Resume(at) => if let Some(conn) = pick(at, &parked) {
                    prop_assert!(resume(&hub, &conn));
                    parked.retain(|other| !Arc::ptr_eq(other, &conn));
                },
                Step::Close(at) => if let Some(conn) = pick(at, &conns) {
                    hub.remove(&conn);
                    conns.retain(|other| !Arc::ptr_eq(other, &conn));
                    parked.retain(|other| !Arc::ptr_eq(other, &conn));
                },
            }
            let known = hub.users.of(user(0));
            let of_login = known.iter().filter(|conn| conn.login == login);
            prop_assert!(of_login.zip(&conns).all(|(known, conn)| Arc::ptr_eq(known, conn)));
            prop_assert_eq!(known.len(), conns.len() + 1);
            prop_assert!(conns.len() <= CONNECTIONS_PER_LOGIN_MAX);
            prop_assert!(conns.iter().all(|conn| !conn.session().gone && conn.session().closing().is_none()));
            prop_assert_eq!(hub.parked.load(Ordering::Relaxed), parked.len());
            prop_assert!(!elsewhere.session().gone, "the limit is of one login");
        }
    }
}
