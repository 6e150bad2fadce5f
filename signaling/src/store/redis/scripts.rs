//! The scripts. Each begins with how the time is read.

use runtime::redis::Lua;

macro_rules! scripts {
    ($($name:ident: $label:literal, $file:literal;)+) => {
        $(pub(super) static $name: Lua = Lua::new($label, || {
            runtime::redis::script(concat!(include_str!("lua/time.lua"), include_str!($file)))
        });)+
    };
}

scripts! {
    CHANGE: "calls_change", "lua/change.lua";
    CLAIM_DUE: "calls_claim_due", "lua/claim_due.lua";
    CLAIM_OUTPUTS: "calls_claim_outputs", "lua/claim_outputs.lua";
    PERFORMED: "calls_performed", "lua/performed.lua";
    POSTPONE: "calls_postpone", "lua/postpone.lua";
    BUSY: "calls_busy", "lua/busy.lua";
    HISTORY: "calls_history", "lua/history.lua";
    MISSED: "calls_missed", "lua/missed.lua";
    SEEN: "calls_seen", "lua/seen.lua";
    FORGET_STATE: "calls_forget_state", "lua/forget_state.lua";
    FORGET_RECORD: "calls_forget_record", "lua/forget_record.lua";
    RESTORE: "calls_restore", "lua/restore.lua";
    RENEW: "calls_renew", "lua/renew.lua";
    SILENT: "calls_silent", "lua/silent.lua";
    ADOPT: "calls_adopt", "lua/adopt.lua";
    SERVE: "calls_serve", "lua/serve.lua";
}
