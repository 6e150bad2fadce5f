//! `auth.refresh`: a refresh token for its successor and a new access token.

use std::sync::Arc;

use link::{Call, Refusal, Reply};
use protocol::accounts::RefreshToken as Body;
use protocol::{ErrorCode, Millis};
use runtime::telemetry::logs::mask;

use crate::account::rows as accounts;
use crate::desk::{self, Desk, Ended};
use crate::lockout;
use crate::meters;
use crate::session::{Presented, RefreshToken, SessionRow, rows as sessions};
use crate::state::{Issued, State};
use crate::stop::{Denial, Stop, Verdict};

/// A session in use keeps its place a known one; once a day is enough for that.
const PLACE_EVERY_MS: Millis = 24 * 60 * 60 * 1_000;

/// Serves the command.
pub(crate) async fn refresh(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let body: Body = call.parse()?;
    // A token in the body is meant, also where a browser adds its cookie.
    let by_cookie = body.refresh_token.is_none();
    let text = body.refresh_token.as_deref().or(call.cookie.as_deref());
    let issued = exchange(state, call, text).await;
    match issued {
        Ok(issued) => Ok(state.answer(issued, by_cookie)?),
        Err(denial) if by_cookie && ends_login(denial.refusal.code) => Err(denial.clearing_cookie()),
        Err(denial) => Err(denial),
    }
}

fn ends_login(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::RefreshTokenInvalid | ErrorCode::RefreshTokenReused | ErrorCode::Suspended)
}

async fn exchange(state: &Arc<State>, call: &Call, text: Option<&str>) -> Result<Issued, Denial> {
    let Some(token) = text.and_then(|text| RefreshToken::open(text, &state.secret)) else {
        meters::count("auth_refresh_token_invalid_total");
        return Err(Refusal::of(ErrorCode::RefreshTokenInvalid).into());
    };
    let verdict = state.write("sessions/refresh", &call.context, move |desk| present(desk, token)).await?;
    if let Err(denial) = &verdict
        && denial.refusal.code == ErrorCode::RefreshTokenReused
    {
        let masked = mask(text.unwrap_or_default());
        tracing::warn!(session = %token.session, token = masked, "an old refresh token was used again: its session was ended");
    }
    verdict
}

fn present(desk: &Desk<'_>, token: RefreshToken) -> Result<Verdict<Issued>, Stop> {
    let Some(session) = sessions::by_id(desk.tx, token.session)? else {
        desk.count("auth_refresh_token_invalid_total");
        return Ok(Err(Refusal::of(ErrorCode::RefreshTokenInvalid).into()));
    };
    let user = Some(session.account);
    let resource = desk::session(session.id);
    if !session.lives(desk.now) {
        desk.count(match session.ended_at {
            Some(_) => "auth_refresh_token_blacklisted_total",
            None => "auth_refresh_token_invalid_total",
        });
        let refusal = Refusal::of(ErrorCode::RefreshTokenInvalid);
        return Ok(Err(Denial::about(user, refusal)));
    }
    let mut rotation = session.rotation;
    let repeat_ms = desk.state.config.refresh_repeat_s.saturating_mul(1_000);
    let (expires_at, why) = match rotation.present(token.generation, repeat_ms, desk.now) {
        Presented::Rotated => (desk.state.refresh_expiry(desk.now), None),
        Presented::Repeated => (session.expires_at, Some("the answer was lost")),
        Presented::Reused => {
            desk.count("auth_refresh_token_blacklisted_total");
            desk.audit_denied("session.refresh", resource, user, ErrorCode::RefreshTokenReused)?;
            desk.end_session(&session, Ended::TokenReused)?;
            let refusal = Refusal::of(ErrorCode::RefreshTokenReused);
            return Ok(Err(Denial::audited(refusal)));
        }
    };
    let Some(row) = accounts::by_id(desk.tx, session.account)? else {
        return Err(Stop::Fault(format!("{resource} has no account")));
    };
    let address = desk.context.client_ip.map(|ip| ip.to_canonical().to_string());
    let (last_seen, moved) = (session.seen_at, address.is_some() && address != session.address);
    let session =
        SessionRow { rotation, expires_at, seen_at: desk.now, address: address.or(session.address), ..session };
    sessions::refreshed(desk.tx, &session)?;
    if let Some(address) = desk.context.client_ip
        && (moved || desk.now.saturating_sub(last_seen) >= PLACE_EVERY_MS)
    {
        lockout::remember_place(desk.tx, session.account, address.into(), desk.now)?;
    }
    match why {
        None => desk.audit("session.refresh", resource, user)?,
        Some(why) => desk.audit_why("session.refresh", resource, user, why)?,
    }
    Ok(Ok(Issued { account: row.account, session, at: desk.now }))
}
