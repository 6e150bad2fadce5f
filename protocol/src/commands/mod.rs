//! The static table of everything a client can ask for.
//!
//! What the gateway must know of a command stands here and nowhere else: who serves it, who may call it, what it costs, what it
//! is routed by, and its REST form where it has one. The REST router, the allow-list, the metrics' `endpoint` labels and the
//! documents are made from it. Bodies pass through the gateway unread.

mod table;

pub use table::COMMANDS;

use crate::accounts::Role;
use crate::services::ServiceName;

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    /// `noun.verb`; the `type` of its frame.
    pub name: &'static str,
    /// Who serves it.
    pub service: ServiceName,
    /// Who may call it; membership is checked by the service itself.
    pub access: Access,
    /// Which budgets it draws from.
    pub cost: Cost,
    /// What `to` names, so that work on one thing meets on one instance.
    pub route: Route,
    /// How a repetition is recognised.
    pub repeat: Repeat,
    /// Its REST form.
    pub rest: Option<Rest>,
    /// Whether it can be sent on the socket.
    pub socket: bool,
    /// One sentence for the documents.
    pub summary: &'static str,
}

/// Who may call a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anyone; limits count the client address.
    Anonymous,
    /// Whoever is logged in.
    User,
    /// At least this role.
    Role(Role),
}

/// The class of limits a command draws from, and the label of its metrics on the socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cost {
    /// Reads.
    Read,
    /// Changes.
    Write,
    /// A message: also draws from the conversation's budget.
    Send,
    /// Enters a conversation.
    Join,
    /// A login: counted per account (by the auth service) and per address.
    Login,
    /// A registration.
    Register,
    /// Starts or joins a call.
    Call,
    /// What two legs of a call negotiate.
    Signal,
    /// May be dropped without harm (typing).
    Ephemeral,
}

/// What `to` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// Nothing: any instance.
    Any,
    /// The caller's own account.
    Caller,
    /// The conversation in `to` (the `{conversation}` of the path).
    Conversation,
    /// The user in `to` (the `{user}` of the path).
    User,
    /// The call in `to` (the `{call}` of the path).
    Call,
}

/// How a repeated command is recognised, so that it is not done twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// It changes nothing, or doing it again changes nothing more.
    Harmless,
    /// By the `Idempotency-Key` header (or the frame's `key`), for 24 hours.
    Key,
    /// By the client-made id in its body, for as long as the entry lives.
    ClientId,
}

/// The REST form of a command.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// The method.
    pub method: Method,
    /// The path; `{name}` is a parameter. The one that the route names becomes `to`, the others become fields of the body.
    pub path: &'static str,
    /// The query parameters that are let through, each a field of the body.
    pub query: &'static [Param],
}

/// A parameter of path or query.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name, also that of the body's field.
    pub name: &'static str,
    /// What its text becomes in the body.
    pub kind: ParamKind,
}

/// What a parameter's text becomes in the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    /// A JSON string.
    Text,
    /// A JSON number without sign or fraction.
    Integer,
    /// An array of strings, separated by commas.
    List,
}

/// The methods in use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "RFC 9110 names them")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Cost {
    /// The label in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
            Self::Join => "join",
            Self::Login => "login",
            Self::Register => "register",
            Self::Call => "call",
            Self::Signal => "signal",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// The path parameters that are numbers; every other one is text.
pub const INTEGER_PATH_PARAMS: &[&str] = &["seq"];

/// The command of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static CommandSpec> {
    COMMANDS.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_rest_forms_stand_once() {
        let names: HashSet<_> = COMMANDS.iter().map(|command| command.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        let rest: Vec<_> = COMMANDS.iter().filter_map(|c| c.rest).map(|r| (r.method.as_str(), r.path)).collect();
        assert_eq!(rest.iter().collect::<HashSet<_>>().len(), rest.len());
    }

    #[test]
    fn a_route_by_conversation_or_user_has_its_parameter_in_the_path() {
        for command in COMMANDS {
            let Some(rest) = command.rest else { continue };
            match command.route {
                Route::Conversation => {
                    assert!(rest.path.contains("{conversation}"), "{}", command.name)
                }
                Route::User => assert!(rest.path.contains("{user}"), "{}", command.name),
                Route::Call => assert!(rest.path.contains("{call}"), "{}", command.name),
                Route::Any | Route::Caller => {}
            }
        }
    }

    #[test]
    fn every_command_can_be_reached() {
        for command in COMMANDS {
            assert!(command.socket || command.rest.is_some(), "{}", command.name);
        }
    }
}
