//! HTTP at the edge: REST from the command table, security headers, origins, the refresh cookie, the web client's files.
//!
//! - [`state`]: what all requests and sockets share. [`request`]: what is known of one request.
//! - [`rest`]: a request's way through. [`routes`]: the router, made from the table. [`params`]: path and query into the body.
//! - [`answer`]: the envelope. [`cookies`], [`origin`], [`headers`]: browsers. [`files`]: the web client.

mod answer;
mod cookies;
mod denials;
mod files;
mod headers;
mod origin;
mod params;
mod request;
mod rest;
mod routes;
mod state;

pub(crate) use answer::{error_body, refuse};
pub(crate) use denials::Denials;
pub(crate) use origin::Origins;
pub(crate) use request::{Origin, bearer};
pub(crate) use rest::routed;
pub(crate) use routes::router;
pub(crate) use state::{Edge, actor, admit, commands_by_name};
