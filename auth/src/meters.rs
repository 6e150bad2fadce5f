//! The metrics of accounts. Every series that is known in advance stands at zero from the start.

use protocol::ErrorCode;
use protocol::ServiceName::Auth;
use runtime::telemetry::metrics::{declare, declare_plain};

/// How one authenticates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    /// By handle and password.
    Password,
    /// By making an account.
    Registration,
    /// By a refresh token.
    RefreshToken,
}

/// Why an attempt fails, most often: these series stand at zero from the start, others appear when they happen.
const REASONS: &[(Method, &[ErrorCode])] = &[
    (
        Method::Password,
        &[
            ErrorCode::InvalidCredentials,
            ErrorCode::AccountLocked,
            ErrorCode::RateLimited,
            ErrorCode::Suspended,
            ErrorCode::Overloaded,
        ],
    ),
    (Method::Registration, &[ErrorCode::InvalidRequest, ErrorCode::HandleTaken, ErrorCode::WeakPassword]),
    (Method::RefreshToken, &[ErrorCode::RefreshTokenInvalid, ErrorCode::RefreshTokenReused]),
];

impl Method {
    /// The method of a command that authenticates.
    pub(crate) fn of(command: &str) -> Option<Self> {
        match command {
            "auth.login" => Some(Self::Password),
            "auth.register" => Some(Self::Registration),
            "auth.refresh" => Some(Self::RefreshToken),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Registration => "registration",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// Registers everything at zero.
pub(crate) fn declare_all() {
    declare_plain(Auth);
    for (method, codes) in REASONS {
        let method = ("method", method.as_str());
        declare(Auth, "auth_attempts_total", &[method]);
        declare(Auth, "auth_success_total", &[method]);
        for code in *codes {
            declare(Auth, "auth_failures_total", &[method, ("reason", code.as_str())]);
        }
    }
}

/// Adds one to a counter that has no label but the service.
pub(crate) fn count(counter: &'static str) {
    metrics::counter!(counter, "service" => Auth.as_str()).increment(1);
}

/// Counts an attempt and how it ended.
pub(crate) fn attempt(method: Method, outcome: Result<(), ErrorCode>) {
    let (service, method_name) = (Auth.as_str(), method.as_str());
    metrics::counter!("auth_attempts_total", "service" => service, "method" => method_name).increment(1);
    match outcome {
        Ok(()) => {
            metrics::counter!("auth_success_total", "service" => service, "method" => method_name).increment(1);
            match method {
                Method::Password => count("auth_login_success_total"),
                Method::RefreshToken => count("auth_refresh_token_success_total"),
                Method::Registration => {}
            }
        }
        Err(code) => {
            metrics::counter!("auth_failures_total",
                "service" => service, "method" => method_name, "reason" => code.as_str())
            .increment(1);
            if method == Method::Password {
                count("auth_login_failed_total");
            }
        }
    }
}
