// The TypeScript client of SecureConnect.
//
// - `Session`: register, log in, go on after a reload; keeps the access token fresh. The refresh token stays in a cookie.
// - `Client`: the socket. Events come once and in order, commands are sent until they are answered.
// - `Sender` with an `Outbox`: messages that survive a reload.
// - `Calls`: rings, calls and their media. `CallCore` is the state machine inside, `PeerMesh` the peer connections.
// - `ConversationView`: a conversation as an app shows it.
// - `Rest`: every command by HTTP, without a session.
// - `Core`: the state machine inside, for shells of another kind.
export { Calls, type CallsEvents, type CallsOptions } from "./calls/calls.ts";
export { CallCore } from "./calls/core.ts";
export type { CallAnswer, CallCommand, CallNews, LegEnd } from "./calls/inout.ts";
export type { LegState } from "./calls/leg.ts";
export { PeerMesh, type MeshOptions, type PeerView } from "./calls/mesh.ts";
export type { ConnectionFactory, Tracks } from "./calls/peer.ts";
export { isCalled, isIn, isOver, partOf, ringsUntil } from "./calls/rules.ts";
export { gradeOf, type Grade } from "./calls/stats.ts";
export { Client, type ClientEvent, type ClientOptions, type Status } from "./client.ts";
export { ConversationView, numberAtHead, unreadAfter, type PendingSend } from "./core/conversation.ts";
export { Core } from "./core/core.ts";
export type { CoreEvent, Lost, Stop } from "./core/event.ts";
export type { Command, CommandAnswer, Output, Ticket, TokenAnswer } from "./core/output.ts";
export type { CoreSettings } from "./core/settings.ts";
export { ApiError, type LocalCode } from "./errors.ts";
export * from "./generated.ts";
export type { Session as SessionInfo } from "./generated.ts";
export { newId } from "./ids.ts";
export { openOutbox } from "./outbox/indexeddb.ts";
export { openPages, type Pages } from "./outbox/pages.ts";
export { MemoryOutbox, type Outbox, type OutboxEntry } from "./outbox/outbox.ts";
export { Rest, type Answer, type CallOptions, type Request } from "./rest.ts";
export { Sender, type SendEvent } from "./sender.ts";
export { exclusiveOverTabs, Session, type Exclusive } from "./session.ts";
export { answerTimers, pageTimer, workerTimer, type Timer } from "./timer.ts";
export type { OpenSocket } from "./transport.ts";
