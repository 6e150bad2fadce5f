//! Plays the steps of a vector and tells what came out, in the vectors' form (`protocol/vectors/README.md`).

use client::core::{Answer, Command, Core, Event, Lost, Output, Settings, Stop, TokenAnswer};
use protocol::ErrorBody;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

pub(crate) struct Player {
    core: Core,
}

impl Player {
    pub(crate) fn new(settings: &Value) -> Self {
        let defaults = Settings::default();
        let number = |name: &str, default| settings[name].as_u64().unwrap_or(default);
        let core = Core::new(Settings {
            seed: number("seed", 1) as u32,
            client: optional(&settings["client"]),
            token: optional(&settings["token"]),
            epoch: optional(&settings["epoch"]),
            positions: optional(&settings["positions"]).unwrap_or_default(),
            queue_max: number("queue_max", defaults.queue_max as u64) as usize,
            in_flight_max: number("in_flight_max", defaults.in_flight_max as u64) as usize,
            lane_depth: number("lane_depth", defaults.lane_depth as u64) as usize,
            answer_within_ms: number("answer_within_ms", defaults.answer_within_ms),
            reconnect_within_ms: number("reconnect_within_ms", defaults.reconnect_within_ms),
            events_waiting_max: number("events_waiting_max", defaults.events_waiting_max as u64) as usize,
        });
        Self { core }
    }

    /// Plays one step; the outcome has the fields `expect` and `wake`.
    pub(crate) fn play(&mut self, step: &Value) -> Value {
        let now = step["at_ms"].as_u64().unwrap();
        self.input(now, &step["input"]);
        let app_reads = step["app_reads"].as_bool().unwrap_or(true);
        let mut expect = Vec::new();
        loop {
            if let Some(output) = self.core.poll_output() {
                expect.push(output_json(output));
                continue;
            }
            match app_reads.then(|| self.core.poll_event(now)).flatten() {
                Some(event) => expect.push(json!({ "event": event_json(event) })),
                None => break,
            }
        }
        if !self.core.wants_frames() {
            expect.push(json!({ "wants_no_frames": {} }));
        }
        json!({ "expect": expect, "wake": self.core.poll_timeout() })
    }

    fn input(&mut self, now: u64, input: &Value) {
        let core = &mut self.core;
        let (name, body) = input.as_object().unwrap().iter().next().unwrap();
        match name.as_str() {
            "start" => core.handle_start(now),
            "opened" => core.handle_opened(now),
            "closed" => {
                let code = optional(&body["code"]);
                core.handle_closed(now, code, body["reason"].as_str().unwrap_or_default());
            }
            "frame" => core.handle_frame(now, &body.to_string()),
            "text" => core.handle_frame(now, body.as_str().unwrap()),
            "timer" => core.handle_timeout(now),
            "online" => core.handle_online(now),
            "stop" => core.handle_stop(),
            "token" => core.handle_token(now, token(body)),
            "command" => {
                core.handle_command(now, command(body));
            }
            other => panic!("no input is called {other}"),
        }
    }
}

fn token(body: &Value) -> TokenAnswer {
    if let Some(token) = body["token"].as_str() {
        TokenAnswer::Token(token.to_owned())
    } else if let Some(denied) = optional(&body["denied"]) {
        TokenAnswer::Denied(denied)
    } else {
        TokenAnswer::Later(optional(&body["later_ms"]))
    }
}

fn command(body: &Value) -> Command {
    let mut command = Command::new(body["type"].as_str().unwrap().to_owned());
    command.to = optional(&body["to"]);
    command.key = optional(&body["key"]);
    command.expires_in_ms = optional(&body["expires_in_ms"]);
    command.body = body.get("body").map(|body| to_raw_value(body).unwrap());
    command
}

fn optional<T: DeserializeOwned>(value: &Value) -> Option<T> {
    (!value.is_null()).then(|| serde_json::from_value(value.clone()).unwrap())
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

fn output_json(output: Output) -> Value {
    match output {
        Output::Connect => json!({ "connect": {} }),
        Output::Send(text) => {
            let frame: Value = serde_json::from_str(&text).unwrap();
            json!({ "send": frame })
        }
        Output::Close(code, reason) => json!({ "close": { "code": code, "reason": reason } }),
        Output::RefreshToken => json!({ "refresh_token": {} }),
        Output::Answer(answer) => json!({ "answer": answer_json(answer) }),
    }
}

fn answer_json(answer: Answer) -> Value {
    let mut fields = Map::new();
    fields.insert("ticket".into(), json!(answer.ticket));
    match answer.result {
        Ok(body) => fields.insert("ok".into(), value(&body)),
        Err(error) => fields.insert("error".into(), error_json(&error)),
    };
    if answer.uncertain {
        fields.insert("uncertain".into(), json!(true));
    }
    Value::Object(fields)
}

/// Without the words, which are each client's own.
fn error_json(error: &ErrorBody) -> Value {
    json!(error.code)
}

fn event_json(event: Event) -> Value {
    match event {
        Event::Connected(welcome) => json!({ "connected": welcome }),
        Event::InStep => json!({ "in_step": {} }),
        Event::Disconnected { why, retry_in_ms } => {
            json!({ "disconnected": { "why": lost_json(&why), "retry_in_ms": retry_in_ms } })
        }
        Event::Stopped(why) => json!({ "stopped": stop_json(&why) }),
        Event::Entry(entry) => json!({ "entry": {
            "from": entry.from, "type": entry.name, "at": entry.at, "body": value(&entry.body),
        } }),
        Event::Withheld { from, first } => json!({ "withheld": { "from": from, "first": first } }),
        Event::Started { stream, head } => {
            json!({ "started": { "stream": stream, "head": head } })
        }
        Event::Reset { stream, head } => json!({ "reset": { "stream": stream, "head": head } }),
        Event::ResetAll { epoch } => json!({ "reset_all": { "epoch": epoch } }),
        Event::Register { key, version, name, body } => json!({ "register": {
            "key": key, "version": version, "type": name, "body": value(&body),
        } }),
        Event::Ephemeral { name, until, body } => {
            json!({ "ephemeral": { "type": name, "until": until, "body": value(&body) } })
        }
    }
}

fn lost_json(why: &Lost) -> Value {
    match why {
        Lost::Transport => json!({ "transport": {} }),
        Lost::Closed { code } => json!({ "closed": { "code": code } }),
        Lost::Silent => json!({ "silent": {} }),
        Lost::Gap { stream, expected, got } => json!({ "gap": { "stream": stream, "expected": expected, "got": got } }),
        Lost::Forked { stream } => json!({ "forked": { "stream": stream } }),
        Lost::Malformed => json!({ "malformed": {} }),
        Lost::Refused(error) => json!({ "refused": { "code": error.code } }),
    }
}

fn stop_json(why: &Stop) -> Value {
    match why {
        Stop::Closed { code, reason } => json!({ "closed": { "code": code, "reason": reason } }),
        Stop::Refused(error) => json!({ "refused": { "code": error.code } }),
        Stop::TokenDenied(error) => json!({ "token_denied": { "code": error.code } }),
        Stop::Asked => json!({ "asked": {} }),
    }
}
