//! Reads what `strace -f -ttt -y -xx` wrote: the operations that change files, in the order in which they ended.

use std::collections::HashMap;
use std::path::PathBuf;

/// The command that records a program; the program and its arguments follow. The program stays our own child (`-D`).
///
/// Only calls that change files are stopped at (`--seccomp-bpf`), so that the program runs at nearly its own speed.
#[must_use]
pub fn recorder(log: &std::path::Path) -> Vec<String> {
    let calls = "openat,write,pwrite64,fsync,fdatasync,ftruncate,mkdir,mkdirat,link,linkat,rename,renameat,renameat2,unlink,unlinkat";
    let fixed = ["strace", "-D", "-f", "--seccomp-bpf", "-ttt", "-y", "-xx", "-s", "1048576"];
    let mut command: Vec<String> = fixed.map(str::to_owned).to_vec();
    command.extend(["-e".to_owned(), format!("trace={calls}"), "-o".to_owned()]);
    command.push(log.display().to_string());
    command
}

/// Something that changed a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// When it ended, in microseconds of Unix time.
    pub at_us: u64,
    /// What it did.
    pub action: Action,
}

/// What an operation did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are named in the words of the variants")]
pub enum Action {
    /// A file was opened to be written; `truncated` if that emptied it.
    Open { path: PathBuf, truncated: bool },
    /// Bytes were written at an offset, or after the last ones where there is none.
    Write { path: PathBuf, offset: Option<u64>, data: Vec<u8> },
    /// The file got this length.
    Truncate { path: PathBuf, length: u64 },
    /// Everything written to the file so far is on the disk; of a folder, the names in it.
    Sync { path: PathBuf },
    /// A folder was made.
    MakeFolder { path: PathBuf },
    /// A file got a second name.
    Link { from: PathBuf, to: PathBuf },
    /// A file got another name.
    Rename { from: PathBuf, to: PathBuf },
    /// A file was removed.
    Remove { path: PathBuf },
}

/// All operations of a recording.
///
/// # Panics
/// On a line that can't be understood: a recording that is read wrongly proves nothing.
#[must_use]
pub fn parse(text: &str) -> Vec<Operation> {
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    let mut operations = Vec::new();
    for line in text.lines() {
        let Some((thread, at_us, call)) = split(line) else {
            continue;
        };
        let whole;
        let call = if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begun);
            continue;
        } else if let Some(resumed) = call.strip_prefix("<... ") {
            let begun = unfinished.remove(thread).unwrap_or_else(|| panic!("resumed: {line}"));
            let (_, end) = resumed.split_once(" resumed>").expect("a resumed call");
            whole = format!("{begun}{end}");
            &whole
        } else {
            call
        };
        if let Some(action) = action(call) {
            operations.push(Operation { at_us, action });
        }
    }
    operations
}

/// Thread, time and call of a line; `None` for signals and ends of threads.
fn split(line: &str) -> Option<(&str, u64, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (time, call) = rest.trim_start().split_once(' ')?;
    let (seconds, micros) = time.split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    let micros: u64 = micros.parse().ok()?;
    let call = call.trim();
    let is_call = !call.starts_with("+++") && !call.starts_with("---");
    is_call.then_some((thread, seconds * 1_000_000 + micros, call))
}

fn action(call: &str) -> Option<Action> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ")?;
    let result = result.split([' ', '<']).next()?;
    let result: i64 = result.parse().ok().filter(|result| *result >= 0)?;
    let arguments: Vec<&str> = arguments.split(", ").collect();
    let action = match name {
        "openat" => {
            let flags = arguments.get(2)?;
            if flags.contains("O_RDONLY") {
                return None;
            }
            Action::Open { path: text(arguments[1])?, truncated: flags.contains("O_TRUNC") }
        }
        "write" | "pwrite64" => Action::Write {
            path: path_of(arguments[0])?,
            offset: arguments.get(3).map(|offset| offset.parse().expect("an offset")),
            data: written(arguments[1], result),
        },
        "ftruncate" => {
            Action::Truncate { path: path_of(arguments[0])?, length: arguments[1].parse().expect("a length") }
        }
        "fsync" | "fdatasync" => Action::Sync { path: path_of(arguments[0])? },
        "mkdir" => Action::MakeFolder { path: text(arguments[0])? },
        "mkdirat" => Action::MakeFolder { path: text(arguments[1])? },
        "link" => Action::Link { from: text(arguments[0])?, to: text(arguments[1])? },
        "linkat" => Action::Link { from: text(arguments[1])?, to: text(arguments[3])? },
        "rename" => Action::Rename { from: text(arguments[0])?, to: text(arguments[1])? },
        "renameat" | "renameat2" => Action::Rename { from: text(arguments[1])?, to: text(arguments[3])? },
        "unlink" => Action::Remove { path: text(arguments[0])? },
        "unlinkat" => Action::Remove { path: text(arguments[1])? },
        _ => return None,
    };
    Some(action)
}

/// The bytes that a call wrote: as many as its result says.
fn written(argument: &str, result: i64) -> Vec<u8> {
    assert!(!argument.ends_with("..."), "the recording is cut short: {}", &argument[..40]);
    let mut data = bytes(argument).expect("a string");
    data.truncate(usize::try_from(result).expect("a length"));
    data
}

/// The path behind a descriptor: `7<\x2f...>`; `None` for sockets and pipes.
fn path_of(descriptor: &str) -> Option<PathBuf> {
    let (_, path) = descriptor.split_once('<')?;
    let path = decode(path.trim_end_matches('>'))?;
    let path = String::from_utf8(path).ok()?;
    path.starts_with('/').then(|| PathBuf::from(path))
}

fn text(argument: &str) -> Option<PathBuf> {
    String::from_utf8(bytes(argument)?).ok().map(PathBuf::from)
}

fn bytes(argument: &str) -> Option<Vec<u8>> {
    decode(argument.strip_prefix('"')?.strip_suffix('"')?)
}

/// `\x2f\x74` as bytes.
fn decode(hexadecimal: &str) -> Option<Vec<u8>> {
    let parts = hexadecimal.split("\\x").skip(1);
    parts.map(|digits| u8::from_str_radix(digits.get(..2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_also_when_another_thread_came_between() {
        let text = concat!(
            "10 100.000001 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3<\\x2f\\x61>\n",
            "10 100.000002 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x62\", O_RDONLY) = 4<\\x2f\\x62>\n",
            "11 100.000003 pwrite64(3<\\x2f\\x61>, \"\\x68\\x69\", 2, 4096) = 2\n",
            "10 100.000004 fdatasync(3<\\x2f\\x61> <unfinished ...>\n",
            "11 100.000005 write(1<pipe:[12]>, \"\\x68\", 1) = 1\n",
            "11 100.000006 write(5<socket:[13]>, \"\\x68\", 1) = -1 EAGAIN (Resource temporarily unavailable)\n",
            "10 100.000009 <... fdatasync resumed>) = 0\n",
            "11 100.000010 --- SIGTERM {si_signo=SIGTERM} ---\n",
            "11 100.000011 rename(\"\\x2f\\x61\", \"\\x2f\\x63\") = 0\n",
            "11 100.000012 +++ exited with 0 +++\n",
            "10 100.000013 mkdir(\"\\x2f\\x64\", 0777) = -1 EEXIST (File exists)\n",
            "10 100.000014 mkdir(\"\\x2f\\x64\", 0777) = 0\n",
            "10 100.000015 linkat(AT_FDCWD<\\x2f>, \"\\x2f\\x63\", AT_FDCWD<\\x2f>, \"\\x2f\\x65\", 0) = 0\n",
            "10 100.000016 fsync(3<\\x2f\\x64>) = 0\n",
        );
        let path = PathBuf::from("/a");
        let actions: Vec<_> = parse(text).into_iter().map(|o| (o.at_us, o.action)).collect();
        let expected = [
            (100_000_001, Action::Open { path: path.clone(), truncated: false }),
            (100_000_003, Action::Write { path: path.clone(), offset: Some(4096), data: b"hi".to_vec() }),
            (100_000_009, Action::Sync { path: path.clone() }),
            (100_000_011, Action::Rename { from: path, to: "/c".into() }),
            (100_000_014, Action::MakeFolder { path: "/d".into() }),
            (100_000_015, Action::Link { from: "/c".into(), to: "/e".into() }),
            (100_000_016, Action::Sync { path: "/d".into() }),
        ];
        assert_eq!(actions, expected);
    }
}
