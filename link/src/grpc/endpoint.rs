//! The methods of the link: which service a call is for, what it asks, and the answer as a message.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use protocol::ErrorCode;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::failure::to_status;
use super::names::under;
use super::wire::proto::link_server::Link;
use super::wire::{self, proto};
use super::{SERVICE_HEADER, lane};
use crate::call::Refusal;
use crate::service::Service;

/// Hints that are ready go into one message, up to this many.
const HINTS_PER_MESSAGE: usize = 64;

/// The services of one address.
pub(super) struct Endpoint {
    pub(super) services: HashMap<&'static str, Arc<dyn Service>>,
    /// Ends lanes and hint streams.
    pub(super) shutdown: CancellationToken,
}

impl Endpoint {
    fn service<T>(&self, request: &Request<T>) -> Result<&Arc<dyn Service>, Status> {
        let name = request.metadata().get(SERVICE_HEADER);
        let name = name.and_then(|name| name.to_str().ok()).unwrap_or_default();
        self.services.get(name).ok_or_else(|| {
            to_status(Refusal::new(
                ErrorCode::Unavailable,
                format!("the service `{name}` does not run in this process"),
            ))
        })
    }
}

type ReplyStream = ReceiverStream<Result<proto::Replies, Status>>;
type HintStream = Pin<Box<dyn Stream<Item = Result<proto::Hints, Status>> + Send>>;

#[async_trait]
impl Link for Endpoint {
    type ExecuteStream = ReplyStream;
    type WatchStream = HintStream;

    async fn execute(&self, request: Request<Streaming<proto::Calls>>) -> Result<Response<ReplyStream>, Status> {
        let service = Arc::clone(self.service(&request)?);
        let (replies, outgoing) = mpsc::channel(1);
        tokio::spawn(lane::serve(service, request.into_inner(), replies, self.shutdown.clone()));
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }

    async fn watch(&self, request: Request<proto::WatchRequest>) -> Result<Response<HintStream>, Status> {
        let hints = under(request.metadata(), self.service(&request)?.watch()).await.map_err(to_status)?;
        let messages = hints
            .take_until(self.shutdown.clone().cancelled_owned())
            .ready_chunks(HINTS_PER_MESSAGE)
            .map(|hints| Ok(proto::Hints { hints: hints.iter().map(Into::into).collect() }));
        Ok(Response::new(Box::pin(messages)))
    }

    async fn subscriptions(
        &self,
        request: Request<proto::UserRequest>,
    ) -> Result<Response<proto::SubscriptionsReply>, Status> {
        let user = wire::reading::to_user(request.get_ref())?;
        let subscriptions = under(request.metadata(), self.service(&request)?.subscriptions(user)).await;
        Ok(Response::new(subscriptions.map_err(to_status)?.into()))
    }

    async fn heads(&self, request: Request<proto::HeadsRequest>) -> Result<Response<proto::HeadsReply>, Status> {
        let streams: Result<Vec<_>, _> =
            request.get_ref().streams.iter().map(|stream| wire::to_stream(stream)).collect();
        let heads = under(request.metadata(), self.service(&request)?.heads(streams?)).await;
        let heads = heads.map_err(to_status)?;
        Ok(Response::new(proto::HeadsReply { heads: heads.into_iter().map(Into::into).collect() }))
    }

    async fn read(&self, request: Request<proto::ReadRequest>) -> Result<Response<proto::Page>, Status> {
        let service = self.service(&request)?;
        let (metadata, _, asked) = request.into_parts();
        let page = under(&metadata, service.read(asked.try_into()?)).await;
        Ok(Response::new(page.map_err(to_status)?.into()))
    }

    async fn registers(&self, request: Request<proto::UserRequest>) -> Result<Response<proto::RegistersReply>, Status> {
        let user = wire::reading::to_user(request.get_ref())?;
        let registers = under(request.metadata(), self.service(&request)?.registers(user)).await;
        let registers = registers.map_err(to_status)?;
        Ok(Response::new(proto::RegistersReply { registers: registers.iter().map(Into::into).collect() }))
    }

    async fn devices(&self, request: Request<proto::DeviceReport>) -> Result<Response<proto::DeviceAnswer>, Status> {
        let service = self.service(&request)?;
        let (metadata, _, report) = request.into_parts();
        let answer = under(&metadata, service.devices(report.try_into()?)).await;
        let resend = answer.map_err(to_status)?.resend;
        Ok(Response::new(proto::DeviceAnswer { resend }))
    }

    async fn revocations(
        &self,
        request: Request<proto::RevocationsRequest>,
    ) -> Result<Response<proto::RevocationsReply>, Status> {
        let after = request.get_ref().after;
        let revocations = under(request.metadata(), self.service(&request)?.revocations(after)).await;
        Ok(Response::new(revocations.map_err(to_status)?.into()))
    }
}
