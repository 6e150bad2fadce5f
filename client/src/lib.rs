//! The Rust client of SecureConnect, used by the tests and the bench, and good for a program of one's own.
//!
//! - [`core`]: the client as a pure state machine: resume, order, deduplication, resend. Everything difficult is there.
//! - `shell`: [`Client`], one task that gives the core a socket, a clock and a token.
//! - `rest`: [`Rest`], any command of the table over HTTP, and [`Login`], a token source that refreshes.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Client, Config, Login, Rest};
//!
//! let rest = Rest::new("http://127.0.0.1:8080", None)?;
//! let login = Login::new(rest.clone(), rest.login("anna", "correct horse", "docs").await?);
//! let (client, mut events) = Client::connect(Config::new("http://127.0.0.1:8080", login));
//! while let Some(event) = events.recv().await {
//!     println!("{event:?}");
//! }
//! # drop(client);
//! # Ok(())
//! # }
//! ```

pub mod core;
mod error;
mod rest;
mod shell;

pub use error::CommandError;
pub use rest::{Login, Rest, RestError};
pub use shell::{Client, Config, Events, TokenSource};
