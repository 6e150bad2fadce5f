//! What is done for a request bears its names on the other side of the link too.

use super::*;
use crate::scope::{Scope, within};
use crate::{Named, TraceContext};

/// Notes under which names each method is asked, and asks nothing itself.
#[derive(Default)]
struct Listening(std::sync::Mutex<Vec<Option<Scope>>>);

impl Listening {
    fn note(&self) {
        self.0.lock().unwrap().push(Scope::current());
    }

    fn heard(&self) -> Vec<Option<Scope>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[async_trait]
impl Service for Listening {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        self.note();
        // What it would ask of another service meanwhile.
        let asked = Call::internal("users.find", None, &()).unwrap();
        assert_eq!(Some(asked.context.scope()), Scope::current());
        Reply::ok(&())
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        self.note();
        Ok(Box::pin(futures_util::stream::empty()))
    }

    async fn subscriptions(&self, _user: UserId) -> Result<Subscriptions, Refusal> {
        self.note();
        Ok(Subscriptions { epoch: Epoch(Uuid::nil()), heads: Vec::new() })
    }

    async fn heads(&self, _streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        self.note();
        Ok(Vec::new())
    }

    async fn read(&self, _request: ReadRequest) -> Result<Page, Refusal> {
        self.note();
        Ok(Page { items: Vec::new(), head: Position::default(), standing: Standing::Gone })
    }

    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        self.note();
        Ok(Vec::new())
    }

    async fn devices(&self, _report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        self.note();
        Ok(DeviceAnswer { resend: false })
    }

    async fn revocations(&self, _after: u64) -> Result<Revocations, Refusal> {
        self.note();
        Ok(Revocations { rows: Vec::new(), newest: 0 })
    }
}

/// Asks by every method but `execute`; answers how many they are.
async fn ask_all(chat: &Arc<dyn Service>) -> usize {
    let user = UserId::now();
    chat.watch().await.map(drop).unwrap();
    chat.subscriptions(user).await.unwrap();
    chat.heads(Vec::new()).await.unwrap();
    chat.read(first_page()).await.unwrap();
    chat.registers(user).await.unwrap();
    let report = DeviceReport {
        gateway: protocol::ConnectionId::now().0,
        whole: true,
        opened: Vec::new(),
        closed: Vec::new(),
        acknowledged: Vec::new(),
    };
    chat.devices(report).await.unwrap();
    chat.revocations(0).await.unwrap();
    7
}

#[tokio::test]
async fn whatever_is_asked_bears_the_names_of_the_work_that_it_is_asked_for() {
    let (key, service) = (trust(), Arc::new(Listening::default()));
    let served = serve(&any_port(), &key, Named::beside(service.clone())).await;
    let chat = chat_at(&served.address, &key);

    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let scope = Scope { trace, ..Scope::begin() };
    let asked = within(scope, ask_all(&chat)).await;
    assert_eq!(service.heard(), vec![Some(scope); asked]);
    // Work without names has none over there.
    let asked = ask_all(&chat).await;
    assert_eq!(service.heard(), vec![None; asked]);
}

#[tokio::test]
async fn a_command_bears_its_own_names_whoever_sends_it() {
    let (key, service) = (trust(), Arc::new(Listening::default()));
    let served = serve(&any_port(), &key, Named::beside(service.clone())).await;
    let direct: Arc<dyn Service> = Named::beside(service.clone());
    for chat in [chat_at(&served.address, &key), direct] {
        let calls = [say("one"), say("two")];
        for call in &calls {
            let reply = within(Scope::begin(), chat.execute(call.clone())).await;
            assert!(reply.result.is_ok());
        }
        assert_eq!(service.heard(), calls.map(|call| Some(call.context.scope())));
    }
}
