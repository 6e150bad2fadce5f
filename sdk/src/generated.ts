// Generated from the Rust types and tables in `protocol/`; do not edit.
// To write it anew: cargo run -p secureconnect-protocol --example generate

/** A UUID in its hyphenated lower-case form. */
export type Uuid = string;
/** Unix time in milliseconds. */
export type Millis = number;
/** The number of an entry in its stream: gapless, the first is 1. */
export type Seq = number;

/** The caller's own account. */
export interface Account {
  /** An `https` URL of a picture, or absent. */
  avatar?: string;
  /** When it was made. */
  created_at: number;
  /** How others find this person. */
  handle: string;
  /** The account's id. */
  id: UserId;
  /** What others see. */
  name: string;
  /** The account's role. */
  role: Role;
}

/** The body of `ack`: the client has these entries and all before them. */
export interface Ack {
  /** For each stream with news since the last `ack`: the last entry's number. */
  positions: AckPosition[];
}

/** One acknowledged stream. */
export interface AckPosition {
  /** The last entry that the client has, with all before it. */
  seq: number;
  /** The stream. */
  stream: StreamId;
}

/** The answer of a change: where in the log it stands. */
export interface Appended {
  /** The entry's number. */
  seq: number;
  /** The entry's tag. */
  tag: Tag;
}

/** A call, whole. */
export interface Call {
  /** When the first of those who were called came in. */
  answered_at?: number;
  /** Who started it. */
  by: UserId;
  /** Where it belongs: only its members are called and may join. */
  conversation: ConversationId;
  /** When it was started. */
  created_at: number;
  /** When it was over. */
  ended_at?: number;
  /** Failed: why. */
  failure?: CallFailure;
  /** Who admits, mutes and removes. */
  host: UserId;
  /** Its id. */
  id: CallId;
  /** What it began with. */
  kind: CallKind;
  /** How many may be in it. */
  limit: number;
  /** Everyone who is in it, was in it, or was called. */
  participants: Participant[];
  /** The process that served it has ended, and not everyone in it is back yet. */
  recovering?: boolean;
  /** Until when devices ring. */
  ring_until: number;
  /** Where it is. */
  status: CallStatus;
  /** Grows with every change. */
  version: number;
  /** Who joins by themselves waits for the host. */
  waiting_room?: boolean;
}

/** A call that was over, in a history. */
export interface CallEntry {
  /** The call. */
  record: CallRecord;
  /** The number of its entry. */
  seq: number;
}

/** Why a call failed. */
export type CallFailure = "connection_lost" | "revoked" | "expired";

/** A call, from its start to its record. */
export type CallId = Uuid;

/** What a user's devices have to know of all their calls at once: told whole at every connection. */
export interface CallIndex {
  /** The calls that go on; what a device keeps of any other is over. */
  live: CallId[];
  /** Calls that were missed since the user last looked at the history. */
  missed: number;
}

/** What a call begins with; everyone may turn a camera on later. */
export type CallKind = "audio" | "video";

/** Body of `call.admit`, `call.mute` and `call.remove` (host). */
export interface CallMember {
  /** Whom. */
  user: UserId;
}

/** Body of `call.recovering` and `call.recovered`. */
export interface CallNotice {
  /** The call. */
  call: CallId;
}

/** Someone's part in a call that is over. */
export interface CallParticipation {
  /** When they first came in. */
  joined_at?: number;
  /** What became of them. */
  status: ParticipantStatus;
  /** Who. */
  user: UserId;
}

/** A call that is over, as it stands in the conversation's log and in the call history. */
export interface CallRecord {
  /** When it was answered. */
  answered_at?: number;
  /** Who started it. */
  by: UserId;
  /** The call. */
  call: CallId;
  /** Where it was. */
  conversation: ConversationId;
  /** When it was started. */
  created_at: number;
  /** From the answer to the end, in milliseconds; 0 where nobody answered. */
  duration_ms: number;
  /** When it was over. */
  ended_at: number;
  /** Failed: why. */
  failure?: CallFailure;
  /** What it began with. */
  kind: CallKind;
  /** Everyone who was in it or was called. */
  participants: CallParticipation[];
  /** How it ended: one of the states after which nothing follows. */
  status: CallStatus;
}

/** Where a call is in its life. */
export type CallStatus = "initiated" | "ringing" | "active" | "ended" | "missed" | "declined" | "busy" | "cancelled" | "failed";

/** Answer of `calls.list`. */
export interface Calls {
  /** One page, the latest first. */
  calls: CallRecord[];
  /** Calls that the caller missed since they last looked. */
  missed: number;
  /** Whether there are more. */
  more: boolean;
}

/** An ICE candidate, as `RTCIceCandidateInit` has it. */
export interface Candidate {
  /** The candidate attribute, at most 1 KiB; empty: there are no more of this generation. */
  candidate: string;
  /** Which media section, by its index. */
  sdpMLineIndex?: number;
  /** Which media section, by its identification tag. */
  sdpMid?: string;
  /** Of which generation. */
  usernameFragment?: string;
}

/** Body of `me.password`. */
export interface ChangePassword {
  /** The present password. */
  current: string;
  /** The new password, at least 10 characters. */
  new: string;
}

/** A public channel as anyone sees it. */
export interface Channel {
  /** Its id. */
  id: ConversationId;
  /** Whether the caller is one. */
  joined: boolean;
  /** How many members it has. */
  members: number;
  /** Its title. */
  title: string;
}

/** Answer of `channels.find`. */
export interface Channels {
  /** One page, by id. */
  channels: Channel[];
  /** Whether there are more. */
  more: boolean;
}

/** Made by the client for each message; the same id never makes a second entry. */
export type ClientId = Uuid;

/** One connection of a login, such as a browser's tab: made by the gateway when it begins, and kept over every resume. It is public; the secret that resumes the connection is another. */
export type ConnectionId = Uuid;

/** A conversation as its member sees it. */
export interface Conversation {
  /** When it was made. */
  created_at: number;
  /** The log's last entry. */
  head: Position;
  /** Its id. */
  id: ConversationId;
  /** Its kind. */
  kind: ConversationKind;
  /** The last message that the caller may see. */
  last_message?: Message;
  /** How many members it has. */
  members: number;
  /** The running number of the caller's own messages at the head. */
  own_number: number;
  /** Direct: the other person. */
  peer?: UserId;
  /** The caller's read marker. */
  read: ReadMarker;
  /** The caller's role. */
  role: MemberRole;
  /** The title of a group or channel. */
  title?: string;
  /** Messages of others after the read marker. A message counts until it is read, also if it was deleted. */
  unread: number;
}

/** A conversation began. */
export interface ConversationCreated {
  /** Who made it. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** Its kind. */
  kind: ConversationKind;
  /** Its title. */
  title?: string;
}

/** A 1-1 conversation, a group or a channel. */
export type ConversationId = Uuid;

/** The user came into a conversation. */
export interface ConversationJoined {
  /** The conversation. */
  conversation: ConversationId;
  /** The first entry of the conversation's log that the user sees. */
  first_seq: number;
  /** The entry by which the user came in. */
  joined_seq: number;
  /** Its kind. */
  kind: ConversationKind;
  /** The running number of messages before that entry: nothing up to here counts as unread. */
  number: number;
  /** The running number of the user's own messages there: not 0 where they were in the conversation before. */
  own_number?: number;
  /** Direct: the other person. */
  peer?: UserId;
  /** The user's role. */
  role: MemberRole;
  /** Its title. */
  title?: string;
}

/** What kind of conversation. */
export type ConversationKind = "direct" | "group" | "channel";

/** The user is no longer in a conversation. */
export interface ConversationLeft {
  /** The conversation. */
  conversation: ConversationId;
  /** How. */
  how: Leaving;
  /** The entry that ended it, the last one that the user sees. */
  left_seq: number;
}

/** The title changed. */
export interface ConversationUpdated {
  /** Who changed it. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** The new title. */
  title: string;
}

/** Answer of `conversations.list`. */
export interface Conversations {
  /** One page, by id. */
  conversations: Conversation[];
  /** Whether there are more. */
  more: boolean;
}

/** Body of `conversations.create`. */
export interface CreateConversation {
  /** The kind. */
  kind: ConversationKind;
  /** Direct: the one other person. Groups: the first members besides the caller, at most 200. */
  members?: UserId[];
  /** Groups and channels: 1 to 100 characters. */
  title?: string;
}

/** A session description. */
export interface Description {
  /** The description (RFC 8866), at most 32 KiB. */
  sdp: string;
  /** Its role. */
  type: DescriptionType;
}

/** A session description's role in offer/answer. */
export type DescriptionType = "offer" | "answer";

/** The answer of commands that have nothing to say but that they were done. */
export type Done = Record<string, never>;

/** Body of `messages.edit`. */
export interface EditMessage {
  /** Made by the client; a resend of the same edit makes no second entry. */
  client_id: ClientId;
  /** Which message. */
  seq: number;
  /** The new text, 1 to 4,000 characters. */
  text: string;
}

/** Names one life of a store; another epoch means that positions of the old one mean nothing. */
export type Epoch = Uuid;

/** Why something was refused, the same on REST and on the socket. */
export interface ErrorBody {
  /** For programs: one of the registry. */
  code: ErrorCode;
  /** For people: what is wrong and what to do about it. */
  message: string;
  /** Names this request in logs and audit. */
  request_id?: string;
  /** Where the code's rule is `after`: how long to wait, in milliseconds. */
  retry_after_ms?: number;
}

/** Why a command was refused. */
export type ErrorCode = "invalid_request" | "idempotency_key_required" | "unauthenticated" | "token_expired" | "token_revoked" | "invalid_credentials" | "refresh_token_invalid" | "refresh_token_reused" | "forbidden" | "origin_not_allowed" | "suspended" | "banned" | "not_found" | "unknown_command" | "method_not_allowed" | "conflict" | "handle_taken" | "last_owner" | "message_deleted" | "call_over" | "call_expired" | "call_full" | "call_taken_over" | "in_another_call" | "not_in_call" | "payload_too_large" | "unsupported_media_type" | "weak_password" | "idempotency_key_reused" | "account_locked" | "rate_limited" | "internal" | "unsupported" | "unavailable" | "overloaded" | "outcome_unknown" | "timeout";

/** The socket's token expires soon. */
export interface Expiring {
  /** When, in server time. */
  expires_at: number;
}

/** A refused request. */
export interface Failure {
  /** Why, and what to do. */
  error: ErrorBody;
}

/** Body of `channels.find`. */
export interface FindChannels {
  /** The last id of the page before. */
  after?: ConversationId;
  /** At most 100; 50 when absent. */
  limit?: number;
  /** The beginning of the title; all channels when absent. */
  title?: string;
}

/** Body of `users.find`: one of the two. */
export interface FindUsers {
  /** An exact handle. */
  handle?: string;
  /** Ids that the caller knows, at most 100. */
  ids?: UserId[];
}

/** Which entry of which log an event is. */
export interface From {
  /** The entry's number. Numbers are gapless: a reader that sees `n` after `n - 2` has missed one. */
  seq: number;
  /** The log. */
  stream: StreamId;
  /** The entry's tag. */
  tag: Tag;
}

/** Answer of `auth.register`, `auth.login` and `auth.refresh`. */
export interface Grant {
  /** The access token (JWT, EdDSA). */
  access_token: string;
  /** When the access token expires. */
  expires_at: number;
  /** The refresh token; absent in cookie mode. */
  refresh_token?: string;
  /** The login. */
  session: SessionId;
  /** The account. */
  user: Account;
}

/** The body of `hello`, the first frame of every socket. */
export interface Hello {
  /** The client's name and version, for logs. */
  client?: string;
  /** Where the client was connected before: the epoch of the last `welcome`. */
  epoch?: Epoch;
  /** Where the client was connected before: the `connection` of the last `welcome`, to resume it. Without it, or where the server doesn't know it, another connection of the login begins. */
  resume?: string;
  /** The access token, where neither the header nor the subprotocol carried it. */
  token?: string;
}

/** Where peers find a way to each other, with credentials that end. */
export interface Ice {
  /** When the credentials end: ask `call.ice` for new ones before. */
  expires_at?: number;
  /** As `RTCConfiguration.iceServers` takes them. */
  servers: IceServer[];
}

/** A STUN or TURN server (W3C WebRTC, `RTCIceServer`). */
export interface IceServer {
  /** TURN: its password. */
  credential?: string;
  /** RFC 7064 and RFC 7065 URIs. */
  urls: string[];
  /** TURN: the short-lived user name. */
  username?: string;
}

/** Body of `members.invite`. */
export interface Invite {
  /** Whom, 1 to 200; who is in already is passed over. */
  users: UserId[];
}

/** Body of `call.join`: answers, joins, takes over from another device, or comes back. */
export interface JoinCall {
  /** Coming back: the leg that this device had. Without it the device gets a new leg, and another device of the user is out. */
  epoch?: number;
  /** Coming back: the number of the last signal that this leg has heard. */
  heard?: number;
  /** What this device sends. */
  media?: Media;
}

/** Answer of `call.start` and `call.join`. */
export interface Joined {
  /** The call. */
  call: Call;
  /** The device's leg; absent in the waiting room. */
  epoch?: number;
  /** For the peer connections of this leg. */
  ice: Ice;
  /** Coming back: signals were lost; negotiate with every other leg anew (restart ICE). The count of signals may have been lost, too: the next one begins it. */
  renegotiate?: boolean;
  /** Coming back: the signals after the last one that was heard. */
  signals?: Signal[];
}

/** How a membership ended. */
export type Leaving = "left" | "kicked" | "banned";

/** Body of `call.leave` and `call.ice`: which leg asks. */
export interface Leg {
  /** The leg. */
  epoch: number;
}

/** One leg of a call. */
export interface LegRef {
  /** Which. */
  epoch: number;
  /** Whose. */
  user: UserId;
}

/** Body of `calls.list`. */
export interface ListCalls {
  /** The last call of the page before. */
  before?: CallId;
  /** At most 100; 50 when absent. */
  limit?: number;
}

/** Body of `conversations.list`. */
export interface ListConversations {
  /** The last id of the page before. */
  after?: ConversationId;
  /** At most 100; 50 when absent. */
  limit?: number;
}

/** Body of `members.list`. */
export interface ListMembers {
  /** The last user of the page before. */
  after?: UserId;
  /** At most 100; 100 when absent. */
  limit?: number;
}

/** Body of `messages.list`: at most one of `before`, `after`, `around`; the newest page when all are absent. */
export interface ListMessages {
  /** Messages with a higher number, the oldest of them. */
  after?: number;
  /** Messages on both sides of this number, itself included. */
  around?: number;
  /** Messages with a lower number, the newest of them. */
  before?: number;
  /** At most 100; 50 when absent. */
  limit?: number;
}

/** Body of `auth.login`. */
export interface Login {
  /** Browsers: the refresh token comes as an `HttpOnly` cookie instead of in the answer. */
  cookie?: boolean;
  /** What the device calls itself in the list of sessions. */
  device?: string;
  /** The handle. */
  handle: string;
  /** The password. */
  password: string;
}

/** Body of `read.mark`: a lower number than the present marker changes nothing. */
export interface MarkRead {
  /** The last entry that was read. */
  seq: number;
}

/** How far somebody else has read and received. */
export interface MarkerChanged {
  /** The conversation. */
  conversation: ConversationId;
  /** The last entry that reached a device of theirs. */
  delivered_seq: number;
  /** The last entry they have read. */
  read_seq: number;
  /** Who. */
  user: UserId;
}

/** How many members have read and received the conversation's newest message. */
export interface MarkersCounted {
  /** The conversation. */
  conversation: ConversationId;
  /** How many devices' owners have received it. */
  delivered: number;
  /** How many have read it. */
  read: number;
  /** The newest message. */
  seq: number;
}

/** What someone sends. */
export interface Media {
  /** The microphone is on. */
  audio?: boolean;
  /** The hand is raised. */
  hand?: boolean;
  /** The screen is shared. */
  screen?: boolean;
  /** The camera is on. */
  video?: boolean;
}

/** A member of a conversation. */
export interface Member {
  /** The last entry that reached a device of theirs; only in conversations of up to 50. */
  delivered_seq?: number;
  /** The entry by which they came in. */
  joined_seq: number;
  /** The last entry they have read; only in conversations of up to 50. */
  read_seq?: number;
  /** Their role. */
  role: MemberRole;
  /** Who. */
  user: UserId;
}

/** A ban of somebody who is no member, or its end. */
export interface MemberBan {
  /** Who did it. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** Whom. */
  user: UserId;
}

/** Somebody came in. */
export interface MemberJoined {
  /** Who brought them in; themselves where they joined. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** In which role. */
  role: MemberRole;
  /** Who. */
  user: UserId;
}

/** Somebody left. */
export interface MemberLeft {
  /** Who did it; themselves where they left. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** How. */
  how: Leaving;
  /** Who. */
  user: UserId;
}

/** A member's role in a conversation. Each includes the ones before it. The two people of a 1-1 conversation are members. */
export type MemberRole = "member" | "admin" | "owner";

/** A member's role changed. */
export interface MemberRoleChanged {
  /** Who changed it. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** The new role. */
  role: MemberRole;
  /** Whose. */
  user: UserId;
}

/** Body of `members.kick`, `members.ban` and `members.unban`. */
export interface MemberTarget {
  /** Whom. */
  user: UserId;
}

/** Answer of `members.list`. */
export interface Members {
  /** One page, by user id. */
  members: Member[];
  /** Whether there are more. */
  more: boolean;
}

/** A message as it stands now; its number in the log is its name within the conversation. */
export interface Message {
  /** When it was sent. */
  at: number;
  /** Who sent it. */
  by: UserId;
  /** The id that its client made. */
  client_id: ClientId;
  /** Where it was sent. */
  conversation: ConversationId;
  /** Whether it was deleted. */
  deleted?: boolean;
  /** When it was last edited. */
  edited_at?: number;
  /** The running number of messages, this one included: what unread counts are made of. */
  number: number;
  /** The message it answers. */
  reply_to?: number;
  /** How often it was edited. */
  revision?: number;
  /** Its number in the conversation's log. */
  seq: number;
  /** The text; empty once deleted. */
  text: string;
}

/** A message was deleted. */
export interface MessageDeleted {
  /** Who deleted it. */
  by: UserId;
  /** The conversation. */
  conversation: ConversationId;
  /** Which message. */
  target: number;
}

/** A message was edited. */
export interface MessageEdited {
  /** Who edited it. */
  by: UserId;
  /** The id that the client made for this edit. */
  client_id: ClientId;
  /** The conversation. */
  conversation: ConversationId;
  /** How often it was edited, this time included. */
  revision: number;
  /** Which message. */
  target: number;
  /** The new text; empty once the message is deleted. */
  text: string;
}

/** Body of `messages.delete` and `messages.revisions`. Deleting again changes nothing. */
export interface MessageTarget {
  /** Which message. */
  seq: number;
}

/** Answer of `messages.list`. */
export interface Messages {
  /** Calls that were over among these messages: after the last one that the page before ends with, up to the one that the page after begins with. The latest 100 of them. */
  calls?: CallEntry[];
  /** The conversation's head when the page was read: it holds every change up to there. */
  head: Position;
  /** In the order of the log. */
  messages: Message[];
  /** Whether there are newer ones that the caller may see. */
  more_after: boolean;
  /** Whether there are older ones that the caller may see. */
  more_before: boolean;
}

/** What is said about an answer. */
export interface Meta {
  /** Names this request in logs and audit. */
  request_id: string;
}

/** Someone in a call, or called to it. */
export interface Participant {
  /** Joined or reconnecting: their leg. It grows with every device that takes over; a device whose own leg is lower is out. */
  epoch?: number;
  /** When they came in. */
  joined_at?: number;
  /** What they send. */
  media: Media;
  /** The host muted their microphone; they may turn it on again. */
  muted?: boolean;
  /** Where they are. */
  status: ParticipantStatus;
  /** Reconnecting: until when their place is kept. */
  until?: number;
  /** Who. */
  user: UserId;
}

/** Where a participant is. */
export type ParticipantStatus = "invited" | "ringing" | "waiting" | "joined" | "reconnecting" | "left" | "declined" | "busy" | "missed" | "removed";

/** One peer connection since the last report. */
export interface PeerQuality {
  /** What comes in, in kilobits per second. */
  incoming_kbps?: number;
  /** Jitter of what comes in, in milliseconds. */
  jitter_ms?: number;
  /** Packets of what comes in that were lost, in hundredths of a percent (0 to 10,000). */
  lost_per_10000?: number;
  /** What goes out, in kilobits per second. */
  outgoing_kbps?: number;
  /** Whether it goes through a TURN relay. */
  relayed?: boolean;
  /** Round trip, in milliseconds. */
  round_trip_ms?: number;
  /** With whom. */
  user: UserId;
}

/** Where a reader stands: after the entry `seq` that carries `tag`. `(0, 0)` stands before the first entry. */
export interface Position {
  /** The entry's number. */
  seq: number;
  /** The entry's tag. */
  tag: Tag;
}

/** Somebody's presence; the body of `presence.changed`, register `presence:<user>`. */
export interface Presence {
  /** When they were last there; absent while they are, or when it isn't known. */
  last_seen_at?: number;
  /** The state. */
  state: PresenceState;
  /** Whose. */
  user: UserId;
}

/** Body of `presence.get` and `presence.watch`. */
export interface PresenceOf {
  /** Whose: at most 100 to read, 200 to watch. Who shares no conversation with the caller is left out. */
  users?: UserId[];
}

/** Whether somebody is there: the most present of their devices. */
export type PresenceState = "offline" | "away" | "online";

/** Answer of `presence.get` and `presence.watch`. */
export interface Presences {
  /** The present states. */
  presences: Presence[];
}

/** What others see of an account. */
export interface Profile {
  /** An `https` URL of a picture, or absent. */
  avatar?: string;
  /** The handle. */
  handle: string;
  /** The account's id. */
  id: UserId;
  /** The name. */
  name: string;
}

/** Answer of `users.find`; who does not exist is left out. */
export interface Profiles {
  /** The profiles. */
  users: Profile[];
}

/** How far someone has read. What is unread is a difference of running numbers, whatever the head: the messages after the marker without one's own among them. */
export interface ReadMarker {
  /** The running number of messages at that entry. */
  number: number;
  /** The running number of one's own messages at that entry. */
  own_number: number;
  /** The last entry that was read. */
  seq: number;
}

/** The user's own read marker moved. */
export interface ReadMoved {
  /** The conversation. */
  conversation: ConversationId;
  /** The running number of messages at that entry. */
  number: number;
  /** The running number of the user's own messages at that entry. */
  own_number: number;
  /** The last entry that was read. */
  seq: number;
}

/** Answer of `read.mark`. */
export interface ReadState {
  /** The running number of messages at the marker. */
  number: number;
  /** The running number of the caller's own messages at the marker. */
  own_number: number;
  /** The marker as it stands now. */
  seq: number;
  /** What is left unread. */
  unread: number;
}

/** Body of `auth.refresh` and `auth.logout`; browsers send the cookie instead. */
export interface RefreshToken {
  /** The refresh token. */
  refresh_token?: string;
}

/** Body of `auth.register`. */
export interface Register {
  /** Browsers: the refresh token comes as an `HttpOnly` cookie instead of in the answer. */
  cookie?: boolean;
  /** What the device calls itself in the list of sessions. */
  device?: string;
  /** 3 to 32 of `a-z`, `0-9`, `_`, `.`, beginning with a letter; how others find this person. */
  handle: string;
  /** 1 to 64 characters, what others see. */
  name: string;
  /** At least 10 characters. */
  password: string;
}

/** The body of `renew`: a fresh access token of the same session. */
export interface Renew {
  /** The token. */
  token: string;
}

/** The answer to `renew`. */
export interface Renewed {
  /** When the new token expires (server time). */
  expires_at: number;
}

/** Body of `call.quality`. */
export interface ReportQuality {
  /** The leg that reports. */
  epoch: number;
  /** Each peer connection, at most as many as may be in a call. */
  peers: PeerQuality[];
}

/** A stream begins anew for this reader. */
export interface Reset {
  /** Where it goes on. */
  head: Position;
  /** The stream. */
  stream: StreamId;
}

/** A former text of a message. */
export interface Revision {
  /** When it was replaced. */
  replaced_at: number;
  /** By whom. */
  replaced_by: UserId;
  /** 0 is the text as it was sent. */
  revision: number;
  /** The text. */
  text: string;
}

/** Answer of `messages.revisions`. */
export interface Revisions {
  /** The oldest first. */
  revisions: Revision[];
}

/** Body of `sessions.revoke`. */
export interface RevokeSession {
  /** Which login ends. */
  session: SessionId;
}

/** What a user may do beyond their own conversations. Each role includes the ones before it. */
export type Role = "user" | "moderator" | "admin";

/** Body of `calls.seen`. */
export interface SeenCalls {
  /** The latest call that was seen in the history. */
  call: CallId;
}

/** Body of `messages.send`. */
export interface SendMessage {
  /** Made by the client, kept over every resend. */
  client_id: ClientId;
  /** The message it answers. */
  reply_to?: number;
  /** 1 to 4,000 characters. */
  text: string;
}

/** Body of `call.signal`, the command: a description, candidates, or both. */
export interface SendSignal {
  /** At most 32 candidates. */
  candidates?: Candidate[];
  /** A description. */
  description?: Description;
  /** The sender's leg. */
  epoch: number;
  /** To which leg. */
  to: LegRef;
}

/** Answer of `messages.send`; a resend gets the same. */
export interface Sent {
  /** When it was sent. */
  at: number;
  /** The running number of messages. */
  number: number;
  /** The entry's number. */
  seq: number;
  /** The entry's tag. */
  tag: Tag;
}

/** One login of the caller. */
export interface Session {
  /** The client address it was last seen from. */
  address?: string;
  /** When it began. */
  created_at: number;
  /** Whether it is the one that asks. */
  current: boolean;
  /** What the device called itself. */
  device?: string;
  /** Its id. */
  id: SessionId;
  /** When it last refreshed. */
  last_seen_at: number;
}

/** One login of a user on one device; revoking it closes its sockets. */
export type SessionId = Uuid;

/** Answer of `sessions.list`. */
export interface Sessions {
  /** All logins, the last seen first. */
  sessions: Session[];
}

/** Body of `call.media`. */
export interface SetMedia {
  /** The leg. */
  epoch: number;
  /** What it sends now. */
  media: Media;
}

/** Body of `members.role`. */
export interface SetMemberRole {
  /** The new role. */
  role: MemberRole;
  /** Whose. */
  user: UserId;
}

/** Body of `presence.set`. */
export interface SetPresence {
  /** `online` or `away`. */
  state: PresenceState;
}

/** Body of `users.role`. */
export interface SetRole {
  /** The new role. */
  role: Role;
}

/** Body of `call.signal`, the event. */
export interface Signal {
  /** In which call. */
  call: CallId;
  /** Candidates. */
  candidates?: Candidate[];
  /** A description. */
  description?: Description;
  /** From which leg. */
  from: LegRef;
  /** Numbered for the leg that it goes to, from 1 without a gap: who sees one missing asks `call.join` with its leg and the last number it has heard. */
  number: number;
  /** To which leg; every other device drops it. */
  to: LegRef;
}

/** Body of `call.start`. A conversation has one call at a time: where one is going on, this joins it. */
export interface StartCall {
  /** Made by the client; repeating it never starts a second call. */
  client_id: ClientId;
  /** What it begins with. */
  kind: CallKind;
  /** What the caller sends. */
  media?: Media;
  /** Whether who joins by themselves waits for the host. */
  waiting_room?: boolean;
}

export type StreamId = string;

/** A stream and a position in it. */
export interface StreamPosition {
  /** The entry's number. */
  seq: number;
  /** The stream. */
  stream: StreamId;
  /** The entry's tag. */
  tag: Tag;
}

/** Body of `users.suspend`. */
export interface Suspend {
  /** Why, for the audit trail. */
  reason?: string;
}

/** The body of `sync`: where the client stands. A client that was not `resumed` sends its positions in one or more of these, the last one with `done`; the server then sends what is missing of every stream. */
export interface Sync {
  /** Whether this is the last of the client's `sync` frames. */
  done?: boolean;
  /** At most [`crate::limits::POSITIONS_PER_SYNC_MAX`] streams with the position after the last entry the client has. */
  positions?: StreamPosition[];
}

/** The answer to a `sync`. */
export interface Synced {
  /** The streams whose position is not of this log (or that the client may not read any more): what the client keeps of them is void. Where the client may still read the stream it also stands in `started`. */
  reset: StreamId[];
  /** On the last `sync`: the streams that the client did not name, with the head each starts from. What lies before can be read as history. */
  started: StreamPosition[];
}

export type Tag = string;

/** Somebody types. */
export interface Typing {
  /** Where. */
  conversation: ConversationId;
  /** Who. */
  user: UserId;
}

/** Body of `me.update`: what is absent stays. */
export interface UpdateAccount {
  /** A new picture; empty removes it. */
  avatar?: string;
  /** A new handle. */
  handle?: string;
  /** A new name. */
  name?: string;
}

/** Body of `conversations.update`. */
export interface UpdateConversation {
  /** The new title, 1 to 100 characters. */
  title: string;
}

/** A person with an account. Knowing it is what lets one read the profile behind it: ids are learnt from an exact handle or a shared conversation only. */
export type UserId = Uuid;

/** The answer to `hello`. */
export interface Welcome {
  /** After how many events to acknowledge at the latest. */
  ack_every_events: number;
  /** After how many milliseconds to acknowledge at the latest. */
  ack_every_ms: number;
  /** Names this connection for a later `resume`; a secret of the client. */
  connection: string;
  /** Names this connection to others, such as which of a login's tabs takes part in a call; the same after a resume. */
  connection_id: ConnectionId;
  /** The store's epoch; when it differs from the client's, all positions of the client are void. */
  epoch: Epoch;
  /** When the token expires (server time). */
  expires_at: number;
  /** The largest frame the server takes, in bytes. */
  frame_bytes_max: number;
  /** How often to beat, in milliseconds. */
  heartbeat_ms: number;
  /** Whether the server still knew the connection: then it sends what was missed by itself, and no `sync` is needed. */
  resumed: boolean;
  /** The login behind the token. */
  session: SessionId;
  /** The server's time. */
  time: number;
  /** Who the token says the client is. */
  user: UserId;
}

/** A range of entries that the reader may not see. */
export interface Withheld {
  /** The first entry of the range. */
  first: number;
  /** The last entry of the range. */
  last: number;
}

/** A frame from the client: a command (with `id`), or `ack` and `ping` (without). */
export interface ClientFrame {
  id?: number;
  type: string;
  to?: string;
  key?: Uuid;
  /** The W3C `traceparent` of the caller's span. */
  traceparent?: string;
  body?: unknown;
}

/** A frame from the server: a reply (`id` with `ok` or `error`), a pong, or an event. */
export interface ServerFrame {
  id?: number;
  ok?: unknown;
  error?: ErrorBody;
  type?: string;
  from?: From;
  register?: { key: string; version: number };
  until?: Millis;
  at?: Millis;
  body?: unknown;
}

/** What each command takes besides `to`, and what it answers. */
export interface CommandTypes {
  "auth.register": { request: Register; answer: Grant };
  "auth.login": { request: Login; answer: Grant };
  "auth.refresh": { request: RefreshToken; answer: Grant };
  "auth.logout": { request: RefreshToken; answer: Done };
  "auth.logout_all": { request: Record<string, never>; answer: Done };
  "auth.jwks": { request: Record<string, never>; answer: unknown };
  "me.get": { request: Record<string, never>; answer: Account };
  "me.update": { request: UpdateAccount; answer: Account };
  "me.password": { request: ChangePassword; answer: Done };
  "sessions.list": { request: Record<string, never>; answer: Sessions };
  "sessions.revoke": { request: RevokeSession; answer: Done };
  "users.find": { request: FindUsers; answer: Profiles };
  "users.role": { request: SetRole; answer: Done };
  "users.suspend": { request: Suspend; answer: Done };
  "users.unsuspend": { request: Record<string, never>; answer: Done };
  "conversations.create": { request: CreateConversation; answer: Conversation };
  "conversations.list": { request: ListConversations; answer: Conversations };
  "conversations.get": { request: Record<string, never>; answer: Conversation };
  "conversations.update": { request: UpdateConversation; answer: Appended };
  "members.list": { request: ListMembers; answer: Members };
  "members.invite": { request: Invite; answer: Appended };
  "members.kick": { request: MemberTarget; answer: Appended };
  "members.role": { request: SetMemberRole; answer: Appended };
  "members.leave": { request: Record<string, never>; answer: Appended };
  "members.ban": { request: MemberTarget; answer: Appended };
  "members.unban": { request: MemberTarget; answer: Appended };
  "channels.find": { request: FindChannels; answer: Channels };
  "channels.join": { request: Record<string, never>; answer: Appended };
  "messages.send": { request: SendMessage; answer: Sent };
  "messages.edit": { request: EditMessage; answer: Appended };
  "messages.delete": { request: MessageTarget; answer: Appended };
  "messages.list": { request: ListMessages; answer: Messages };
  "messages.revisions": { request: MessageTarget; answer: Revisions };
  "read.mark": { request: MarkRead; answer: ReadState };
  "typing.set": { request: Record<string, never>; answer: Done };
  "presence.get": { request: PresenceOf; answer: Presences };
  "presence.set": { request: SetPresence; answer: Done };
  "presence.watch": { request: PresenceOf; answer: Presences };
  "call.start": { request: StartCall; answer: Joined };
  "call.join": { request: JoinCall; answer: Joined };
  "call.ring": { request: Record<string, never>; answer: Done };
  "call.decline": { request: Record<string, never>; answer: Call };
  "call.leave": { request: Leg; answer: Call };
  "call.end": { request: Record<string, never>; answer: Call };
  "call.media": { request: SetMedia; answer: Call };
  "call.signal": { request: SendSignal; answer: Done };
  "call.ice": { request: Leg; answer: Ice };
  "call.admit": { request: CallMember; answer: Call };
  "call.mute": { request: CallMember; answer: Call };
  "call.remove": { request: CallMember; answer: Call };
  "call.quality": { request: ReportQuality; answer: Done };
  "call.get": { request: Record<string, never>; answer: Call };
  "calls.list": { request: ListCalls; answer: Calls };
  "calls.seen": { request: SeenCalls; answer: Done };
}
export type CommandName = keyof CommandTypes;

/** What each event carries, and how it reaches its reader. */
export interface EventTypes {
  "conversation.created": { kind: "conversation"; body: ConversationCreated };
  "conversation.updated": { kind: "conversation"; body: ConversationUpdated };
  "member.joined": { kind: "conversation"; body: MemberJoined };
  "member.left": { kind: "conversation"; body: MemberLeft };
  "member.role": { kind: "conversation"; body: MemberRoleChanged };
  "member.banned": { kind: "conversation"; body: MemberBan };
  "member.unbanned": { kind: "conversation"; body: MemberBan };
  "message.new": { kind: "conversation"; body: Message };
  "message.edited": { kind: "conversation"; body: MessageEdited };
  "message.deleted": { kind: "conversation"; body: MessageDeleted };
  "conversation.joined": { kind: "user"; body: ConversationJoined };
  "conversation.left": { kind: "user"; body: ConversationLeft };
  "read.moved": { kind: "user"; body: ReadMoved };
  "presence.changed": { kind: "register"; body: Presence };
  "marker.changed": { kind: "register"; body: MarkerChanged };
  "markers.counted": { kind: "register"; body: MarkersCounted };
  "typing": { kind: "ephemeral"; body: Typing };
  "call.record": { kind: "conversation"; body: CallRecord };
  "call.state": { kind: "register"; body: Call };
  "calls.index": { kind: "register"; body: CallIndex };
  "call.signal": { kind: "ephemeral"; body: Signal };
  "call.recovering": { kind: "ephemeral"; body: CallNotice };
  "call.recovered": { kind: "ephemeral"; body: CallNotice };
  "withheld": { kind: "socket"; body: Withheld };
  "token.expiring": { kind: "socket"; body: Expiring };
  "live": { kind: "socket"; body: Record<string, never> };
  "reset": { kind: "socket"; body: Reset };
}
export type EventName = keyof EventTypes;

export interface RestSpec {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `{name}` is a parameter: the one that the route names is `to`, the others are fields of the body. */
  path: string;
  /** The fields of the body that travel as query; lists are joined by commas. */
  query: readonly { name: string; kind: "text" | "integer" | "list" }[];
}
export interface CommandSpec {
  service: string;
  access: "anonymous" | Role;
  cost: string;
  /** What `to` names. */
  route: "any" | "caller" | "conversation" | "user" | "call";
  /** How a repetition is recognised. */
  repeat: "harmless" | "key" | "client_id";
  /** Whether it can be sent on the socket. */
  socket: boolean;
  rest?: RestSpec;
}

/** Everything a client can ask for. */
export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  /** Makes an account and logs it in. */
  "auth.register": { service: "auth-service", access: "anonymous", cost: "register", route: "any", repeat: "key", socket: false, rest: { method: "POST", path: "/v1/auth/register", query: [] } },
  /** Logs in with handle and password. */
  "auth.login": { service: "auth-service", access: "anonymous", cost: "login", route: "any", repeat: "harmless", socket: false, rest: { method: "POST", path: "/v1/auth/login", query: [] } },
  /** Takes a refresh token (body or cookie) and gives its successor with a new access token. */
  "auth.refresh": { service: "auth-service", access: "anonymous", cost: "write", route: "any", repeat: "harmless", socket: false, rest: { method: "POST", path: "/v1/auth/refresh", query: [] } },
  /** Ends the session of the refresh token, the cookie or the access token. */
  "auth.logout": { service: "auth-service", access: "anonymous", cost: "write", route: "any", repeat: "harmless", socket: false, rest: { method: "POST", path: "/v1/auth/logout", query: [] } },
  /** Ends all sessions of the caller. */
  "auth.logout_all": { service: "auth-service", access: "user", cost: "write", route: "caller", repeat: "harmless", socket: false, rest: { method: "POST", path: "/v1/auth/logout-all", query: [] } },
  /** The public keys that verify access tokens (RFC 7517). */
  "auth.jwks": { service: "auth-service", access: "anonymous", cost: "read", route: "any", repeat: "harmless", socket: false, rest: { method: "GET", path: "/.well-known/jwks.json", query: [] } },
  /** The caller's own account. */
  "me.get": { service: "auth-service", access: "user", cost: "read", route: "caller", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/me", query: [] } },
  /** Changes name, avatar or handle. */
  "me.update": { service: "auth-service", access: "user", cost: "write", route: "caller", repeat: "harmless", socket: true, rest: { method: "PATCH", path: "/v1/me", query: [] } },
  /** Changes the password; all other sessions end. */
  "me.password": { service: "auth-service", access: "user", cost: "write", route: "caller", repeat: "harmless", socket: false, rest: { method: "PUT", path: "/v1/me/password", query: [] } },
  /** The caller's sessions with device name, last seen and address. */
  "sessions.list": { service: "auth-service", access: "user", cost: "read", route: "caller", repeat: "harmless", socket: false, rest: { method: "GET", path: "/v1/me/sessions", query: [] } },
  /** Ends one session of the caller. */
  "sessions.revoke": { service: "auth-service", access: "user", cost: "write", route: "caller", repeat: "harmless", socket: false, rest: { method: "DELETE", path: "/v1/me/sessions/{session}", query: [] } },
  /** Profiles by exact handle, or by ids that the caller knows. */
  "users.find": { service: "auth-service", access: "user", cost: "read", route: "any", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/users", query: [{ name: "handle", kind: "text" }, { name: "ids", kind: "list" }] } },
  /** Gives a user a role. */
  "users.role": { service: "auth-service", access: "admin", cost: "write", route: "user", repeat: "harmless", socket: false, rest: { method: "PUT", path: "/v1/users/{user}/role", query: [] } },
  /** Suspends an account: its sessions end and no new one begins. */
  "users.suspend": { service: "auth-service", access: "admin", cost: "write", route: "user", repeat: "harmless", socket: false, rest: { method: "PUT", path: "/v1/users/{user}/suspension", query: [] } },
  /** Lifts a suspension. */
  "users.unsuspend": { service: "auth-service", access: "admin", cost: "write", route: "user", repeat: "harmless", socket: false, rest: { method: "DELETE", path: "/v1/users/{user}/suspension", query: [] } },
  /** Makes a group or a channel, or opens the 1-1 conversation with a user. */
  "conversations.create": { service: "chat-service", access: "user", cost: "write", route: "any", repeat: "key", socket: true, rest: { method: "POST", path: "/v1/conversations", query: [] } },
  /** The caller's conversations with head, last message and unread count. */
  "conversations.list": { service: "chat-service", access: "user", cost: "read", route: "caller", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/conversations", query: [{ name: "after", kind: "text" }, { name: "limit", kind: "integer" }] } },
  /** One conversation. */
  "conversations.get": { service: "chat-service", access: "user", cost: "read", route: "conversation", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/conversations/{conversation}", query: [] } },
  /** Changes the title (owner, admin). */
  "conversations.update": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "PATCH", path: "/v1/conversations/{conversation}", query: [] } },
  /** Who is in it, with roles and markers. */
  "members.list": { service: "chat-service", access: "user", cost: "read", route: "conversation", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/conversations/{conversation}/members", query: [{ name: "after", kind: "text" }, { name: "limit", kind: "integer" }] } },
  /** Adds users to a group (owner, admin). */
  "members.invite": { service: "chat-service", access: "user", cost: "join", route: "conversation", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/conversations/{conversation}/members", query: [] } },
  /** Removes a member (owner, admin). */
  "members.kick": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "DELETE", path: "/v1/conversations/{conversation}/members/{user}", query: [] } },
  /** Makes a member owner, admin or member (owner). */
  "members.role": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "PUT", path: "/v1/conversations/{conversation}/members/{user}/role", query: [] } },
  /** Leaves a group or channel. */
  "members.leave": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/conversations/{conversation}/leave", query: [] } },
  /** Removes a user and keeps them out (owner, admin). */
  "members.ban": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "PUT", path: "/v1/conversations/{conversation}/bans/{user}", query: [] } },
  /** Lifts a ban (owner, admin). */
  "members.unban": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "DELETE", path: "/v1/conversations/{conversation}/bans/{user}", query: [] } },
  /** Public channels whose title begins with the given text. */
  "channels.find": { service: "chat-service", access: "user", cost: "read", route: "any", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/channels", query: [{ name: "title", kind: "text" }, { name: "after", kind: "text" }, { name: "limit", kind: "integer" }] } },
  /** Enters a public channel. */
  "channels.join": { service: "chat-service", access: "user", cost: "join", route: "conversation", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/conversations/{conversation}/join", query: [] } },
  /** Sends a message; durable before it is answered. */
  "messages.send": { service: "chat-service", access: "user", cost: "send", route: "conversation", repeat: "client_id", socket: true, rest: { method: "POST", path: "/v1/conversations/{conversation}/messages", query: [] } },
  /** Changes the text of an own message. */
  "messages.edit": { service: "chat-service", access: "user", cost: "send", route: "conversation", repeat: "harmless", socket: true, rest: { method: "PATCH", path: "/v1/conversations/{conversation}/messages/{seq}", query: [] } },
  /** Deletes a message for all (its author, owner, admin, moderator). */
  "messages.delete": { service: "chat-service", access: "user", cost: "send", route: "conversation", repeat: "harmless", socket: true, rest: { method: "DELETE", path: "/v1/conversations/{conversation}/messages/{seq}", query: [] } },
  /** History: before, after or around an entry's number. */
  "messages.list": { service: "chat-service", access: "user", cost: "read", route: "conversation", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/conversations/{conversation}/messages", query: [{ name: "before", kind: "integer" }, { name: "after", kind: "integer" }, { name: "around", kind: "integer" }, { name: "limit", kind: "integer" }] } },
  /** Former texts of an edited or deleted message (moderators). */
  "messages.revisions": { service: "chat-service", access: "moderator", cost: "read", route: "conversation", repeat: "harmless", socket: false, rest: { method: "GET", path: "/v1/conversations/{conversation}/messages/{seq}/revisions", query: [] } },
  /** Moves the caller's read marker forward. */
  "read.mark": { service: "chat-service", access: "user", cost: "write", route: "conversation", repeat: "harmless", socket: true, rest: { method: "PUT", path: "/v1/conversations/{conversation}/read", query: [] } },
  /** Says that the caller types; expires by itself. */
  "typing.set": { service: "chat-service", access: "user", cost: "ephemeral", route: "conversation", repeat: "harmless", socket: true },
  /** Presence of users who share a conversation with the caller. */
  "presence.get": { service: "chat-service", access: "user", cost: "read", route: "any", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/presence", query: [{ name: "users", kind: "list" }] } },
  /** Says whether this device is in use (online or away). */
  "presence.set": { service: "chat-service", access: "user", cost: "ephemeral", route: "caller", repeat: "harmless", socket: true },
  /** Names the users in larger conversations whose presence this device wants to be told. */
  "presence.watch": { service: "chat-service", access: "user", cost: "read", route: "caller", repeat: "harmless", socket: true },
  /** Calls the members of a conversation, or joins the call that goes on there. */
  "call.start": { service: "video-service", access: "user", cost: "call", route: "conversation", repeat: "client_id", socket: true },
  /** Answers, joins, takes over from another device, or comes back to an own leg. */
  "call.join": { service: "video-service", access: "user", cost: "call", route: "call", repeat: "harmless", socket: true },
  /** Says that this device rings. */
  "call.ring": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true },
  /** Says no; all own devices stop ringing. */
  "call.decline": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/calls/{call}/decline", query: [] } },
  /** Leaves with this leg; the caller who leaves before an answer cancels. */
  "call.leave": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/calls/{call}/leave", query: [] } },
  /** Ends the call for all (host). */
  "call.end": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/calls/{call}/end", query: [] } },
  /** Tells what this leg sends: microphone, camera, screen, raised hand. */
  "call.media": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true },
  /** Passes a session description or candidates to another leg. */
  "call.signal": { service: "video-service", access: "user", cost: "signal", route: "call", repeat: "harmless", socket: true },
  /** New TURN credentials for this leg. */
  "call.ice": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true },
  /** Lets someone in from the waiting room (host). */
  "call.admit": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/calls/{call}/admissions/{user}", query: [] } },
  /** Mutes someone's microphone (host); they may turn it on again. */
  "call.mute": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "POST", path: "/v1/calls/{call}/participants/{user}/mute", query: [] } },
  /** Removes someone (host); they join again only when they are admitted. */
  "call.remove": { service: "video-service", access: "user", cost: "write", route: "call", repeat: "harmless", socket: true, rest: { method: "DELETE", path: "/v1/calls/{call}/participants/{user}", query: [] } },
  /** Reports how this leg's peer connections do. */
  "call.quality": { service: "video-service", access: "user", cost: "ephemeral", route: "call", repeat: "harmless", socket: true },
  /** A call that goes on or was over less than a day ago. */
  "call.get": { service: "video-service", access: "user", cost: "read", route: "call", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/calls/{call}", query: [] } },
  /** The caller's calls that are over, the latest first, and how many they missed. */
  "calls.list": { service: "video-service", access: "user", cost: "read", route: "caller", repeat: "harmless", socket: true, rest: { method: "GET", path: "/v1/calls", query: [{ name: "before", kind: "text" }, { name: "limit", kind: "integer" }] } },
  /** The history was looked at: what was missed up to a call counts no more. */
  "calls.seen": { service: "video-service", access: "user", cost: "write", route: "caller", repeat: "harmless", socket: true, rest: { method: "PUT", path: "/v1/calls/seen", query: [] } },
};

export type Retry = "now" | "after" | "never";

/** Error codes with their HTTP status and retry rule. */
export const ERROR_CODES: Readonly<Record<ErrorCode, { status: number; retry: Retry; meaning: string }>> = {
  invalid_request: { status: 400, retry: "never", meaning: "The request is not of the command's form; the message names the field." },
  idempotency_key_required: { status: 400, retry: "never", meaning: "A creating request needs an Idempotency-Key header that holds a UUID." },
  unauthenticated: { status: 401, retry: "never", meaning: "No valid access token: log in or refresh." },
  token_expired: { status: 401, retry: "now", meaning: "The access token has expired: refresh it and repeat." },
  token_revoked: { status: 401, retry: "never", meaning: "The session behind the token was ended: log in again." },
  invalid_credentials: { status: 401, retry: "never", meaning: "Handle or password is wrong." },
  refresh_token_invalid: { status: 401, retry: "never", meaning: "The refresh token is unknown, expired or was ended: log in again." },
  refresh_token_reused: { status: 401, retry: "never", meaning: "An old refresh token was used again: the whole session was ended, log in again." },
  forbidden: { status: 403, retry: "never", meaning: "Your role does not allow it." },
  origin_not_allowed: { status: 403, retry: "never", meaning: "The page's origin is not on the server's list." },
  suspended: { status: 403, retry: "never", meaning: "The account was suspended by an administrator." },
  banned: { status: 403, retry: "never", meaning: "You were banned from this conversation." },
  not_found: { status: 404, retry: "never", meaning: "It does not exist, or is not yours to see." },
  unknown_command: { status: 404, retry: "never", meaning: "No command or route of this name." },
  method_not_allowed: { status: 405, retry: "never", meaning: "The route exists, with another method." },
  conflict: { status: 409, retry: "never", meaning: "The present state does not allow it; the message says why." },
  handle_taken: { status: 409, retry: "never", meaning: "Another account has this handle." },
  last_owner: { status: 409, retry: "never", meaning: "A group keeps at least one owner: name another one first." },
  message_deleted: { status: 409, retry: "never", meaning: "The message was deleted." },
  call_over: { status: 409, retry: "never", meaning: "The call is over." },
  call_expired: { status: 410, retry: "never", meaning: "You were away for too long and lost your place: join again." },
  call_full: { status: 409, retry: "after", meaning: "As many as may be in the call are in it." },
  call_taken_over: { status: 409, retry: "never", meaning: "Another device of yours is in the call now." },
  in_another_call: { status: 409, retry: "never", meaning: "You are in another call: leave it first." },
  not_in_call: { status: 409, retry: "never", meaning: "This device, or the one that it names, is not in the call." },
  payload_too_large: { status: 413, retry: "never", meaning: "The body or frame is over the limit." },
  unsupported_media_type: { status: 415, retry: "never", meaning: "The body must be application/json." },
  weak_password: { status: 422, retry: "never", meaning: "The password does not meet the policy; the message says how." },
  idempotency_key_reused: { status: 422, retry: "never", meaning: "This Idempotency-Key came with another request before." },
  account_locked: { status: 429, retry: "after", meaning: "Too many failed logins: wait, or log in from a place where you did before." },
  rate_limited: { status: 429, retry: "after", meaning: "Too many requests: wait for the stated time." },
  internal: { status: 500, retry: "after", meaning: "A fault of the server; it was logged under the request id." },
  unsupported: { status: 501, retry: "never", meaning: "This server does not offer it." },
  unavailable: { status: 503, retry: "after", meaning: "A part behind the server is not there right now; nothing was changed." },
  overloaded: { status: 503, retry: "after", meaning: "The server has too much to do; nothing was changed." },
  outcome_unknown: { status: 503, retry: "now", meaning: "The outcome is unknown: repeat with the same id or key, it is not done twice." },
  timeout: { status: 504, retry: "now", meaning: "No answer in time: repeat with the same id or key, it is not done twice." },
};

/** Close codes of the socket with their retry rule. */
export const CLOSE_CODES = {
  slow: { number: 4001, retry: "now", meaning: "The client did not read what was sent: connect again, the session resumes." },
  heartbeat_missed: { number: 4002, retry: "now", meaning: "Nothing was heard for 35 s: connect again, the session resumes." },
  token_expired: { number: 4003, retry: "now", meaning: "The access token ran out: refresh it, connect again, the session resumes." },
  resync: { number: 4004, retry: "now", meaning: "The server can't prove that nothing was missed: connect again and sync." },
  reconnect: { number: 4100, retry: "after", meaning: "The server is going down: connect again after the milliseconds in the reason." },
  internal: { number: 4101, retry: "after", meaning: "A fault of the server." },
  overloaded: { number: 4102, retry: "after", meaning: "The server has too much to do." },
  rate_limited: { number: 4103, retry: "after", meaning: "Too many frames." },
  unavailable: { number: 4104, retry: "after", meaning: "A part behind the server is not there right now." },
  unauthenticated: { number: 4200, retry: "never", meaning: "No valid access token: log in." },
  revoked: { number: 4201, retry: "never", meaning: "The session was ended: log in again." },
  taken_over: { number: 4202, retry: "never", meaning: "Another socket resumed this connection, or its login has more connections than it may." },
  protocol_violation: { number: 4203, retry: "never", meaning: "A frame is not of the protocol's form." },
  frame_too_large: { number: 4204, retry: "never", meaning: "A frame is over 64 KiB." },
  hello_timeout: { number: 4205, retry: "never", meaning: "No hello within 10 s." },
  too_many_unauthenticated: { number: 4105, retry: "after", meaning: "Too many sockets of this address wait for their hello." },
} as const satisfies Record<string, { number: number; retry: Retry; meaning: string }>;
export type CloseCodeName = keyof typeof CLOSE_CODES;

/** Sizes and times that both ends agree on. */
export const LIMITS = {
  FRAME_BYTES_MAX: 65536,
  BODY_BYTES_MAX: 65536,
  TEXT_CHARS_MAX: 4000,
  TITLE_CHARS_MAX: 100,
  NAME_CHARS_MAX: 64,
  MEMBERS_PER_REQUEST_MAX: 200,
  MEMBERS_MAX: 100000,
  USERS_PER_REQUEST_MAX: 100,
  PAGE_MAX: 100,
  POSITIONS_PER_SYNC_MAX: 500,
  PRESENCE_PUSH_MEMBERS_MAX: 100,
  MARKERS_NAMED_MEMBERS_MAX: 50,
  PRESENCE_WATCH_MAX: 200,
  CONNECTIONS_PER_LOGIN_MAX: 8,
  CANDIDATES_PER_SIGNAL_MAX: 32,
  HEARTBEAT_MS: 25000,
  DEAD_AFTER_MS: 35000,
  HELLO_WITHIN_MS: 10000,
  RESUME_WINDOW_MS: 120000,
  ACK_EVERY_EVENTS: 50,
  ACK_EVERY_MS: 5000,
  EXPIRY_NOTICE_MS: 60000,
  TYPING_EVERY_MS: 3000,
  TYPING_TTL_MS: 6000,
  HANDLE_CHARS_MIN: 3,
  HANDLE_CHARS_MAX: 32,
  PASSWORD_CHARS_MIN: 10,
  PASSWORD_CHARS_MAX: 256,
} as const;

/** The subprotocol of JSON text frames. */
export const SUBPROTOCOL_JSON = "secureconnect.v1.json";
