/**
 * Owns every limit: its name, its unit and the reason for its size. A limit that an operator may
 * move is the default of a variable in docs/configuration.md. Refuses to know who enforces it.
 */

/**
 * Bytes of a request body. Room for a long conversation or one inlined image; small enough that a
 * few hundred concurrent uploads fit an isolate's 128 MB.
 */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Levels of nesting in a JSON body: more is never a chat and overflows recursive code. */
export const MAX_JSON_DEPTH = 64;

/** Messages in one conversation: beyond it, a body of tiny messages costs more to check than to send. */
export const MAX_MESSAGES = 4096;

/** Milliseconds of silence before an SSE comment is sent; edges and proxies cut quiet streams after a minute or more. */
export const KEEPALIVE_MS = 15_000;

/** Milliseconds a native client of an event stream is told to wait before it comes back, and as much again at random. */
export const SSE_RETRY_MS = 1_000;

/** Milliseconds an export waits for its reader to take more; then it breaks off. */
export const EXPORT_PATIENCE_MS = 60_000;

/** Milliseconds that an export counts as a connection, should nobody tell that it has ended. */
export const EXPORT_HELD_MS = 3_600_000;

/** Milliseconds that a long-poll of a stream waits for data: clients that are tested by others give up after five seconds. */
export const LONG_POLL_MS = 4_000;

/**
 * Milliseconds a request may wait for its answer's first event before the response is committed as
 * a stream. Until then a failure is an HTTP status; after it, an event in the stream.
 */
export const COMMIT_AFTER_MS = 2_000;

/** Milliseconds until the provider must have said a first word; reasoning models think long before it. */
export const FIRST_TOKEN_TIMEOUT_MS = 120_000;

/** Milliseconds between two events of the provider (comments do not count); a longer silence is a dead stream. */
export const IDLE_TIMEOUT_MS = 60_000;

/** Milliseconds an answer may take in all, a slow reader included. */
export const TOTAL_TIMEOUT_MS = 600_000;

/** Bytes of one answer: some two million tokens; a provider in a loop must not run for ever. */
export const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Characters of one upstream event (1 MiB of text): an endless line must not fill memory. */
export const MAX_UPSTREAM_EVENT_CHARS = 1024 * 1024;

/**
 * Bytes read at most from the provider's socket at once. Gathering stops when it has as many, so
 * less than twice as much of an answer is in memory.
 */
export const UPSTREAM_READ_BYTES = 32 * 1024;

/**
 * Milliseconds in which events of a provider that is faster than its client are gathered into one
 * write: less than anyone can see, and enough to halve the processor time of a fast answer.
 */
export const GATHER_MS = 1;

/** Milliseconds a provider that has said its last word may take for `[DONE]`; some never send it. */
export const AFTER_FINISH_MS = 1_000;

/** The same when usage was asked for, which comes between the two. */
export const USAGE_MS = 5_000;

/** Milliseconds given to a provider to end its body after `[DONE]`, so that its connection can be used again. */
export const AFTER_DONE_MS = 20;

/** Milliseconds the body of a failed request is read: the status is known, the body says little more. */
export const MAX_ERROR_BODY_MS = 1_000;

/** Seconds of the longest `retry-after` that is believed: a day. */
export const MAX_RETRY_AFTER_S = 86_400;

/** Bytes of the body of a failed request that are looked at. */
export const MAX_UPSTREAM_ERROR_BYTES = 64 * 1024;

/** Rounds over the list of providers before giving up. */
export const MAX_UPSTREAM_ROUNDS = 2;

/** Milliseconds waited at most between two rounds, whatever `retry-after` asks; then the caller decides. */
export const MAX_RETRY_WAIT_MS = 5_000;

/** Milliseconds of the first pause between two rounds without `retry-after` (full jitter). */
export const RETRY_BASE_MS = 500;

/** Characters of an HS256 secret: 256 bits of anything a person can type (RFC 7518 §3.2 asks for 256 bits). */
export const MIN_AUTH_SECRET_CHARS = 32;

/** Characters of a bearer token: ten times a large one, a hundredth of what hurts to parse. */
export const MAX_TOKEN_CHARS = 16_384;

/** Characters of a token's `sub`: OpenID Connect allows 255. */
export const MAX_SUBJECT_CHARS = 256;

/** Characters of a token's `jti`: a UUID is 36. */
export const MAX_TOKEN_ID_CHARS = 128;

/** Seconds by which an issuer's clock may be ahead of ours: what clocks that are looked after never reach. */
export const CLOCK_SKEW_S = 30;

/**
 * Seconds that a token may last from when it was made: a month. What was revoked has to be remembered as long, and a
 * token for ever is a key.
 */
export const MAX_TOKEN_LIFETIME_S = 30 * 86_400;

/** Patterns in a token: somebody with more needs a wildcard; each is tried for each name. */
export const MAX_GRANTS = 64;

/** Characters of a pattern with its kind: the longest name fits. */
export const MAX_PATTERN_CHARS = 192;

/** Models that a token may name. */
export const MAX_MODEL_PATTERNS = 32;

/** Characters of the JSON, in ASCII, of presence fields in a token: half of what a state may have. */
export const MAX_FIXED_PRESENCE_CHARS = 512;

/** Seconds that a ticket waits to be used: a page asks for it and connects at once. */
export const TICKET_TTL_S = 30;

/** Revocations that a room or topic remembers; each is compared with whoever comes. */
export const MAX_REVOCATIONS = 1_024;

/** Seconds that a link to an answer may count: a month. It cannot be taken back. */
export const MAX_LINK_TTL_S = 30 * 86_400;

/** Seconds that it counts when nobody says: a day, as long as the answer is kept. */
export const LINK_TTL_S = 86_400;

/** Milliseconds an issuer's key set may take to arrive; callers wait for it. */
export const KEY_SET_TIMEOUT_MS = 5_000;

/** Milliseconds a key set is used: how long a key that its issuer took back still counts. */
export const KEY_SET_TTL_MS = 10 * 60_000;

/**
 * Milliseconds between two fetches on account of keys that are not in the set: soon enough for an
 * issuer that has just changed its keys, and too seldom for made-up key names to burden it.
 */
export const KEY_SET_REFETCH_MS = 30_000;

/** Milliseconds after a failed fetch of a key set until the next: an issuer in trouble is not pressed. */
export const KEY_SET_RETRY_MS = 2_000;

/** Bytes of a key set: dozens of large keys. */
export const MAX_KEY_SET_BYTES = 128 * 1024;

/** Seconds over which the platform's rate limits count: the longer of the two periods it offers. */
export const RATE_PERIOD_SECONDS = 60;

/** Requests that a subject has in such a period, as wrangler.toml sets it: the binding does not tell. */
export const RATE_PER_MINUTE = 120;

/** The same of an address. */
export const ADDRESS_RATE_PER_MINUTE = 600;

/**
 * Bytes of one message's encoded payload. What is larger belongs into storage with its address in a
 * message: everyone in a room receives it and the log keeps it.
 */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/**
 * Bytes of a frame from a client: twice the largest message, so that an application that overshoots
 * a little is refused one message instead of losing its connection.
 */
export const MAX_FRAME_BYTES = 2 * MAX_MESSAGE_BYTES;

/** Bytes of a frame from a server, which clients can rely on: a page of the log and what surrounds it. */
export const MAX_SERVER_FRAME_BYTES = 1024 * 1024;

/** Levels of arrays and maps in a payload: deeper data is an attack on someone's recursive decoder. */
export const MAX_DEPTH = 16;

/** Values in one payload (scalars, keys and containers): decoded, each costs up to fifty times its byte. */
export const MAX_ELEMENTS = 16_384;

/** Bytes of a member's encoded presence state: it is kept with the connection and sent to everyone. */
export const MAX_PRESENCE_BYTES = 1024;

/** Messages that may be sent ahead of a client's acknowledgements when it does not say. */
export const DEFAULT_CREDIT_MESSAGES = 256;

/** Bytes of entries that may be sent ahead of a client's acknowledgements when it does not say. */
export const DEFAULT_CREDIT_BYTES = 1024 * 1024;

/** What may wait in the Worker for a reader over HTTP: enough for a full pipe. */
export const READER_CREDIT = { messages: 128, bytes: 256 * 1024 } as const;

/** Messages a client may ask to be sent ahead: more only fills buffers. */
export const MAX_CREDIT_MESSAGES = 4096;

/** Bytes a client may ask to be sent ahead: what one stalled client may cost the server's memory. */
export const MAX_CREDIT_BYTES = 4 * 1024 * 1024;

/** Pairs in a hello: those there are, and room for a later version's. */
export const MAX_HELLO_OPTIONS = 32;

/** Newest messages a client may ask to be replayed when it joins: a screenful of scrolling, not an export. */
export const MAX_HISTORY = 1000;

/**
 * Bytes of a shared document as it is stored: a long book and how it came to be. An object reads all of it for
 * whoever opens the document.
 */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Bytes of one change of it, by request: to look at it may take sixty times as much memory, of 128 MB. */
export const MAX_CHANGE_BYTES = 1024 * 1024;

/** Documents of one room: what is known of each stays in memory. */
export const MAX_DOCUMENTS = 256;

/** Milliseconds between two pings of a client: below the minute after which proxies cut quiet connections. */
export const HEARTBEAT_MS = 25_000;

/** Milliseconds a new connection may take to say hello; a phone on a bad network needs some of them. */
export const HELLO_TIMEOUT_MS = 10_000;

/** Messages that one HTTP request may publish: they share a row, which is bounded. */
export const MAX_PUBLISH_MESSAGES = 256;

/** Members up to whom everyone is told who is here by name; beyond, only how many. */
export const PRESENCE_COMPLETE_MEMBERS = 100;

/** Members named in the welcome of a larger room. */
export const PRESENCE_SAMPLE = 10;

/** Connections one member may have to a room: devices and tabs of a person, not a flood under one name. */
export const MAX_CONNECTIONS_PER_MEMBER = 32;

/** Direct messages sent ahead of a client's acknowledgements; the rest wait in storage. */
export const MAX_MAIL_AHEAD = 64;

/** Bytes of the same; half of what may be sent outside the log before presence is left out. */
export const MAX_MAIL_AHEAD_BYTES = 128 * 1024;

/**
 * Bytes of frames outside the log (presence, receipts, errors, direct messages) that are sent to a
 * connection between two of its acknowledgements before presence is left out.
 */
export const CONTROL_WINDOW_BYTES = 256 * 1024;

/** The same, before the connection is closed as a slow consumer. */
export const CONTROL_LIMIT_BYTES = 1024 * 1024;

/** Refusals for too high a rate, without a pause in between, after which a connection is closed. */
export const MAX_RATE_STRIKES = 50;

/** Milliseconds without any sign of life after which a connection is dead: three heartbeats and a bit. */
export const DEAD_AFTER_MS = 90_000;

/** Milliseconds between two looks for dead connections while nothing else wakes the room. */
export const SWEEP_MS = 300_000;

/** Milliseconds that messages under load wait for each other: half a frame of animation. */
export const BATCH_MS = 8;

/** Bytes at which a batch leaves before its time. */
export const BATCH_BYTES = 64 * 1024;

/** Bytes of log pages that a returning member is sent in one frame. */
export const PAGE_BYTES = 64 * 1024;

/**
 * Bytes of one event's data in a topic. More than in a room, because a topic carries results of jobs
 * and pages of text; four of them fit a frame.
 */
export const MAX_EVENT_BYTES = 256 * 1024;

/**
 * Messages that one body of a stream may hold: they are stored together, and the topic's one thread does
 * nothing else meanwhile (half a second for so many).
 */
export const MAX_STREAM_MESSAGES = 8_192;

/** Topics that one event stream may carry: its id holds a position of each and goes with every event. */
export const MAX_TOPICS_PER_STREAM = 32;

/** Topics that one request may publish to: each is a call to an object of its own. */
export const MAX_TOPICS_PER_PUBLISH = 32;

/** Events of a history page when the request names no number. */
export const HISTORY_PAGE_EVENTS = 100;

/** Keys of a topic whose newest values are known to memory; a topic with more is replayed beyond them. */
export const MAX_LATEST_KEYS = 4096;

/** Bytes of these values: what the index may take of an object's 128 MB. */
export const MAX_LATEST_BYTES = 8 * 1024 * 1024;

/**
 * Bytes of newest values that a reader who fell behind is sent in one frame: all of them, in almost
 * every topic. Beyond, it gets them in parts, and what changes often may keep it waiting for the rest.
 */
export const LATEST_PAGE_BYTES = 512 * 1024;

/** Messages sent ahead to a reader of a topic where only the newest counts: they age while they wait. */
export const LATEST_CREDIT_MESSAGES = 16;

/** The same in bytes. */
export const LATEST_CREDIT_BYTES = 64 * 1024;

/**
 * Idempotent producers of one topic that are known, those that wrote last. They are stored with every
 * row, so that knowing them costs no row of its own.
 */
export const MAX_PRODUCERS = 128;

/** Milliseconds between asking the provider for a stored answer and writing down that it was asked. */
export const GENERATION_HEAD_START_MS = 5;

/** Milliseconds after an answer was begun until an object is made for the next: what a fast provider says at once is out by then. */
export const SPARE_AFTER_MS = 3;

/** Milliseconds of a stored answer that its first tokens may wait for a row: less than anyone can see. */
export const GENERATION_FIRST_FLUSH_MS = 25;

/**
 * Milliseconds that tokens of a long answer may wait for a row at most. Each row costs money and is a
 * step that a reader sees: at 50 tokens a second this makes 53
 * rows of 1,000 tokens, and with those of the record and the end not more than 60.
 */
export const GENERATION_FLUSH_MS = 480;

/** How fast the wait grows from the first to the last of these: milliseconds for each one of the answer. */
export const GENERATION_FLUSH_GROWTH = 0.25;

/** Characters of one event that says again what an answer had said before it broke off. */
export const CONTINUED_CHUNK_CHARS = 32_768;

/** Bytes of one stored event of a provider: with what it is batched with, it has to fit one frame. */
export const MAX_GENERATION_EVENT_BYTES = 512 * 1024;

/** Seconds that a finished answer is kept: a day, in which a reload, another device and a support case fit. */
export const GENERATION_TTL_S = 86_400;

/** Answers being written for one subject: several tabs and a batch, not a loop gone wild. */
export const MAX_RUNNING_GENERATIONS = 20;

/** Answers being written at once that the limit may be set to: each is a socket to a provider. */
export const MOST_RUNNING_GENERATIONS = 10_000;

/** Seconds after which a caller with too many answers may try again: one takes about so long. */
export const GENERATION_RETRY_S = 5;

/** Seconds that an answer nobody watches may be written on at most when a caller asks for it. */
export const MAX_GRACE_S = 3_600;

/** Milliseconds in which a first viewer must come to an answer that is cancelled without one. */
export const FIRST_VIEWER_MS = 10_000;

/** Milliseconds between two signs of life of a running answer: each is a row written. */
export const GENERATION_PULSE_MS = 60_000;

/** Milliseconds that a viewer of an answer may take nothing: longer than the answer itself, it costs a cursor only. */
export const VIEWER_PATIENCE_MS = 900_000;

/** Bytes of the texts in one call to an object: the platform carries 32 MiB, and there is more in it than texts. */
export const MAX_CALL_BYTES = 31 * 1024 * 1024;

/** Characters of a request that is kept so that it can be asked again; a row has to hold it. */
export const MAX_KEPT_REQUEST_CHARS = 600_000;

/** Characters of JSON that a caller's labels of a stored answer may have: OpenAI's 16 pairs, much escaped. */
export const MAX_METADATA_CHARS = 32_768;

/** Characters of a caller's name for a chat. */
export const MAX_CHAT_ID_CHARS = 128;

/** Characters of an idempotency key. */
export const MAX_IDEMPOTENCY_KEY_CHARS = 255;

/** Characters of a request's address: 32 topics and their positions fit twice. */
export const MAX_URL_CHARS = 8_192;

/** Characters of a request's headers, names included: a large token in each of two, and what browsers and proxies add. */
export const MAX_HEADER_CHARS = 48 * 1024;

/** Milliseconds between two pieces of a request's body: a phone in a tunnel, not a client that trickles. */
export const BODY_IDLE_MS = 15_000;

/** Milliseconds that a whole body may take: the largest at the speed of a bad phone line. */
export const BODY_TIMEOUT_MS = 120_000;

/**
 * Bytes of a refused request's body that are read and dropped before the answer, four times the default of
 * the longest that is taken: a connection that is closed with unread bytes in it takes the answer along.
 */
export const REFUSED_BODY_BYTES = 16 * 1024 * 1024;

/** Bytes of it that are read at a time: sixteen times what a stream gives by itself, at a sixth of the work. */
export const REFUSED_PIECE_BYTES = 64 * 1024;

/** Milliseconds without a byte of such a body, and for all of it: nobody owes patience to what is refused. */
export const REFUSED_BODY_IDLE_MS = 2_000;
export const REFUSED_BODY_MS = 15_000;

/** Milliseconds between two pieces of a body of lines, which lasts as long as its publisher likes. */
export const LINES_IDLE_MS = 60_000;

/** Milliseconds of a day, the window of most quotas. */
export const DAY_MS = 86_400_000;

/** Milliseconds of a minute, the window of the quota of names. */
export const MINUTE_MS = 60_000;

/** Requests a day of one token's subject: more than a page open all day, less than a script gone wild. */
export const QUOTA_REQUESTS_PER_DAY = 100_000;

/** Messages and events that one subject publishes over HTTP each day: ten a second, all day. */
export const QUOTA_PUBLISHES_PER_DAY = 1_000_000;

/** Bytes of request bodies of one subject each day: 1 GiB. */
export const QUOTA_BYTES_PER_DAY = 1024 * 1024 * 1024;

/** Tokens of prompts and answers of one subject each day: a long day of work with a model. */
export const QUOTA_TOKENS_PER_DAY = 1_000_000;

/**
 * Rooms, topics and answers that one subject turns to for the first time, each minute: each wakes an
 * object. Nine event streams of as many topics as one may have.
 */
export const QUOTA_NAMES_PER_MINUTE = 300;

/** Sockets and event streams (of several topics: for each) that one subject has open: tabs and devices, or a small server. */
export const QUOTA_CONNECTIONS = 200;

/** How many times as much an address has as a subject: an office or a school behind one. */
export const QUOTA_ADDRESS_FACTOR = 10;

/** The largest number that a quota may be set to: what is counted stays exact. */
export const MAX_QUOTA = 1_000_000_000_000;

/** A caller is given ahead this part of what it has left at most, so that many isolates share it fairly. */
export const QUOTA_AHEAD_SHARE = 32;

/** Milliseconds within which a caller who comes back is busy, and is given more ahead. */
export const QUOTA_BUSY_MS = 10_000;

/** Units given ahead at most, in multiples of what was last wanted. */
export const QUOTA_AHEAD_MAX = 64;

/** Milliseconds that a refusal is repeated without asking again. */
export const QUOTA_REFUSED_MS = 2_000;

/** Callers that an isolate keeps accounts of; the one not seen for longest is forgotten first. */
export const MAX_LEDGER_CALLERS = 4_096;

/** Names that an isolate remembers of one caller as already counted. */
export const MAX_KNOWN_NAMES = 1_024;

/** Tokens held for an answer whose request names no limit, until it is known what it took. */
export const RESERVED_TOKENS = 1_024;

/** Tokens held for an answer at most, whatever its request names: more than models write at once. */
export const MAX_RESERVED_TOKENS = 131_072;

/**
 * Milliseconds beyond the longest answer that tokens are held for one whose end nobody tells: time to ask
 * for it, and to say that it has ended.
 */
export const RESERVATION_GRACE_MS = 60_000;

/**
 * Times the longest answer after which one that nobody can be asked about counts as ended: whoever reads
 * it may be slower than it was written.
 */
export const ANSWER_OVER_FACTOR = 2;

/** Answers of one caller that tokens are held for. */
export const MAX_RESERVATIONS = 1_000;

/** Milliseconds after which a slot's connection must have been opened, so that its holder may be asked. */
export const SLOT_SETTLE_MS = 30_000;

/** Milliseconds between two questions about the same slot. */
export const SLOT_RECHECK_MS = 60_000;

/** Slots that are asked about at once: each is a call to an object. */
export const SLOTS_ASKED = 32;

/** Milliseconds until a caller's quotas are looked at to forget them: longer than the longest window. */
export const QUOTA_SWEEP_MS = 25 * 3_600_000;

/** Seconds after which a caller with too many connections may try again. */
export const SLOT_RETRY_S = 10;

/** Milliseconds that a receiver of webhooks may take to answer: the object stays awake for it. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

/** Milliseconds after the first failed attempt; twice as long after each other one. */
export const WEBHOOK_FIRST_PAUSE_MS = 5_000;

/** Milliseconds between two attempts at most. */
export const WEBHOOK_MAX_PAUSE_MS = 3_600_000;

/** Milliseconds that an event is kept for a receiver that does not take it: a day. */
export const WEBHOOK_MAX_AGE_MS = 86_400_000;

/** Events of one object that wait for the receiver; beyond, the oldest is dropped. */
export const MAX_WEBHOOK_QUEUE = 256;

/** Events that one alarm delivers; the next alarm comes at once. */
export const WEBHOOK_BATCH = 16;

/** Bytes of a webhook's secret: what Standard Webhooks asks for at least. */
export const MIN_WEBHOOK_SECRET_BYTES = 24;

/** Milliseconds after which what was said over sockets is counted. */
export const POST_PAID_MS = 2_000;

/** Messages of one payer that are counted at once. */
export const POST_PAID_MESSAGES = 128;
