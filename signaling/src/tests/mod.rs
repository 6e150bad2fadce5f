//! The service's parts together, on the real store in a file and beside a chat whose failures a test chooses: what sockets and processes
//! are too coarse for.

mod cut_off;
mod glare;
mod logins;
mod members;
mod owed;
mod shared;
mod takeover;
mod told;
mod world;
