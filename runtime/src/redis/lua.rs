//! A script: several steps that happen as one, on Redis' own time.

use std::sync::LazyLock;

use redis::Script;

/// A script with the name that metrics call it by. Make it a `static`.
pub struct Lua {
    pub(super) name: &'static str,
    pub(super) script: LazyLock<Script>,
}

impl Lua {
    /// A script; `code` is called with nothing and answers its text.
    #[must_use]
    pub const fn new(name: &'static str, script: fn() -> Script) -> Self {
        Self { name, script: LazyLock::new(script) }
    }
}

/// A [`Lua`] out of a file beside the code that runs it.
#[macro_export]
macro_rules! lua {
    ($name:literal, $file:literal) => {
        $crate::redis::Lua::new($name, || $crate::redis::script(include_str!($file)))
    };
}

/// For [`lua!`].
#[doc(hidden)]
#[must_use]
pub fn script(code: &str) -> Script {
    Script::new(code)
}
