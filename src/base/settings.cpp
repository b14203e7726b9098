// The table of settings.
#include "base/settings.hpp"

#include <array>

namespace rtc {
namespace {

constexpr std::array<std::string_view, 2> kDurabilities{"commit", "fsync"};

}  // namespace

std::span<const Setting> all_settings() {
  using S = Setting;
  constexpr std::uint64_t kKiB = 1 << 10;
  constexpr std::uint64_t kMiB = 1 << 20;
  constexpr std::uint64_t kGiB = 1 << 30;
  constexpr std::uint64_t kSecond = 1000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  constexpr std::uint64_t kBillion = 1'000'000'000;
  constexpr std::uint64_t kRooms = 50'000'000;  // both kinds fit storage/sqlite_place.hpp
  static const std::vector<Setting> settings{
      // Where and how it runs.
      {"listen", &Config::listen, "localhost:8080", 0, 0,
       "Addresses to serve, HOST:PORT or [IPv6]:PORT; a name is served on all its addresses. "
       "Give `0.0.0.0:8080` to be reached from other machines."},
      {"stomp_listen", &Config::stomp_listen, "", 0, 0,
       "Addresses that serve STOMP over plain TCP as well, such as 127.0.0.1:61613; empty: none. "
       "Not encrypted (docs/operations.md)."},
      {"data_dir", &Config::data_dir, "data", 0, 0,
       "Directory of the database and of the token secret; made when it is not there."},
      {"log_level", &Config::log_level, "info", 0, 0, "How much is written to standard error."},
      {"loops", &Config::loops, "0", 0, 1024, "Event loops (threads); 0 means one per core."},
      // Who is let in.
      {"allowed_origins", &Config::allowed_origins, "http://127.0.0.1:5500,http://localhost:5500",
       0, 0, "Other web origins whose pages may call this server; its own page always may."},
      {"sockjs_cookie", &Config::sockjs_cookie, "false", 0, 0,
       "Set the cookie JSESSIONID, by which a load balancer keeps a SockJS client on one server."},
      {"trusted_proxies", &Config::trusted_proxies, "", 0, 0,
       "Addresses or networks (such as 10.0.0.0/8) whose X-Forwarded-For is believed."},
      {"rate_exempt", &Config::rate_exempt, "127.0.0.0/8,::1/128", 0, 0,
       "Addresses or networks to which the bounds per address and the rates do not apply. Behind a "
       "proxy on this machine set trusted_proxies, so that each user's own address counts."},
      {"metrics_allowed", &Config::metrics_allowed, "127.0.0.0/8,::1/128", 0, 0,
       "Addresses or networks that may read /metrics; others get 404."},
      {"postgres_url", &Config::postgres_url, "", 0, 0,
       "PostgreSQL database (15 or later) that keeps rooms and messages instead of the SQLite file "
       "in "
       "data_dir: libpq's URI, such as postgresql://chat@db.example/chat; empty: SQLite. Not as a "
       "flag when it holds a password: others can see those."},
      {"postgres_shared", &Config::postgres_shared, "true", 0, 0,
       "Whether other nodes write to that database too; then it is asked whether there is more "
       "before a newest page is answered from memory. Say false for one node alone."},
      {"token_secret", &Config::token_secret, "", 0, 0,
       "Key that signs the tokens, at least 32 bytes; empty: made at the first start and kept in "
       "data_dir, readable by its owner only. Better not given as a flag: others can see those."},
      {"token_issuer", &Config::token_issuer, "realtimechat", 0, 0, "The tokens' `iss` claim."},
      {"token_lifetime", S::Duration{&Config::token_lifetime_ms}, "1d", kSecond, 3650 * kDay,
       "How long a token is valid; an expired one is renewed for the same identity."},
      {"bans_max", &Config::bans_max, "10000", 1, 100'000,
       "Bans that may hold at once; --ban refuses more (docs/operations.md)."},
      {"ban_check_interval", S::Duration{&Config::ban_check_interval_ms}, "500ms", 50, kHour,
       "How often the database is asked whether bans have changed: they hold on every node that "
       "long, and a query, after the command."},
      {"conformance", &Config::conformance, "false", 0, 0,
       "End points for public test suites (docs/conformance.md), open to pages of every origin. "
       "Never on a server for people."},
      // Several nodes.
      {"redis_url", &Config::redis_url, "", 0, 0,
       "Redis that leads to the other nodes, redis://[[user]:password@]host[:port], or its "
       "sentinels, redis+sentinel://[[user]:password@]sentinel[:port],…/master, or nodes of a "
       "Redis Cluster, redis+cluster://[[user]:password@]node[:port],…; with TLS rediss in place "
       "of redis. Empty, and no kafka_brokers: this is the only node. Nodes share one "
       "database and one token_secret (docs/operations.md)."},
      {"redis_sentinel_login", &Config::redis_sentinel_login, "", 0, 0,
       "[user]:password for the sentinels, as before the @ of redis_url; empty: they ask for "
       "none."},
      {"redis_ca_file", &Config::redis_ca_file, "", 0, 0,
       "PEM file of whoever signs the certificates of Redis and its sentinels; empty: the "
       "system's trust store. Read for each connection, as the next two."},
      {"redis_certificate_file", &Config::redis_certificate_file, "", 0, 0,
       "PEM file of the certificate that this node shows to Redis, and of the chain to its CA; "
       "empty: none, and Redis must not ask for one (tls-auth-clients no)."},
      {"redis_key_file", &Config::redis_key_file, "", 0, 0,
       "PEM file of that certificate's key, without a passphrase."},
      {"redis_prefix", &Config::redis_prefix, "realtimechat", 0, 0,
       "What the names of channels and keys in Redis begin with; the same for nodes of one "
       "database."},
      {"redis_timeout", S::Duration{&Config::redis_timeout_ms}, "3s", 100, kMinute,
       "Without an answer for so long a connection to Redis is lost, and made again."},
      {"redis_queue_bytes_max", S::Bytes{&Config::redis_queue_bytes_max}, "16MiB", kKiB, kGiB,
       "Memory of messages that wait for Redis; those beyond it other nodes read from the "
       "database."},
      {"redis_pages_bytes_max", S::Bytes{&Config::redis_pages_bytes_max}, "64MiB", 0, 3 * kGiB,
       "Newest pages that a node keeps in Redis for all, in each redis_page_lifetime; 0B: it keeps "
       "none and looks for none."},
      {"redis_page_lifetime", S::Duration{&Config::redis_page_lifetime_ms}, "10m", kSecond, kDay,
       "How long a page is kept in Redis."},
      {"redis_page_timeout", S::Duration{&Config::redis_page_timeout_ms}, "25ms", 1, 10 * kSecond,
       "When Redis has not said for so long what page it has, the database is asked for it all, "
       "and "
       "Redis for none for a second."},
      {"kafka_brokers", &Config::kafka_brokers, "", 0, 0,
       "Kafka that leads to the other nodes instead of Redis: some of its brokers, HOST:PORT, from "
       "which the others are learnt; empty: none."},
      {"kafka_topic", &Config::kafka_topic, "realtimechat", 0, 0,
       "The topic that nodes of one database share, and nobody else writes to; each node reads all "
       "of it."},
      {"kafka_properties", &Config::kafka_properties, "", 0, 0,
       "File of librdkafka's properties, a line of name=value each, for TLS and logins "
       "(docs/operations.md); empty: none. Readable by its owner only when it holds a password."},
      {"kafka_timeout", S::Duration{&Config::kafka_timeout_ms}, "5s", kSecond, kMinute,
       "When what a node writes to Kafka does not come back for so long, it reads on from the end "
       "and compares its rooms with the database; and what Kafka did not take by then it drops."},
      {"kafka_queue_bytes_max", S::Bytes{&Config::kafka_queue_bytes_max}, "16MiB", kKiB, kGiB,
       "Memory of messages that wait for Kafka; those beyond it other nodes read from the "
       "database."},
      {"kafka_fetch_bytes_max", S::Bytes{&Config::kafka_fetch_bytes_max}, "16MiB", kMiB, kGiB,
       "Memory of what came from Kafka and was not looked at; an answer of each broker, as long "
       "(4MiB "
       "at least), may come on top."},
      {"relay_hole_wait", S::Duration{&Config::relay_hole_wait_ms}, "20ms", 0, kMinute,
       "When a message comes before an older one: how long that may take, before it is read from "
       "the database."},
      {"relay_check_interval", S::Duration{&Config::relay_check_interval_ms}, "2s", 100, kHour,
       "A room with listeners of which nothing came for so long is compared with the database, as "
       "what the relay lost leaves no trace."},
      {"relay_checks_max", &Config::relay_checks_max, "100", 1, 100'000,
       "Most of these comparisons a second; with more rooms each is compared less often."},
      {"relay_held_bytes_max", S::Bytes{&Config::relay_held_bytes_max}, "16MiB", kKiB, kGiB,
       "Memory of messages that wait for an older one; those beyond it are read from the "
       "database."},
      {"node_lifetime", S::Duration{&Config::node_lifetime_ms}, "10s", kSecond, 10 * kMinute,
       "A node of which Redis hears nothing for so long is dead: the others remove its people. So "
       "long a room also stays as it was last known while Redis is away."},
      {"presence_waiting_max", &Config::presence_waiting_max, "100000", 1, 100'000'000,
       "Own people who came or went and wait to be told to Redis; with more, all of them are told "
       "again."},
      // The broker.
      {"broker", &Config::broker, "false", 0, 0,
       "Open /topic/…, /queue/… and /user/…, where every connected client may send and subscribe "
       "(docs/wire.md). Nothing sent there is stored. A chat needs none. Not beside redis_url or "
       "kafka_brokers, as what is sent stays on its node."},
      {"broker_destination_bytes_max", S::Bytes{&Config::broker_destination_bytes_max}, "256B", 16,
       4 * kKiB, "Longest destination of the broker, without the session that a /user/… names."},
      {"broker_patterns_max", &Config::broker_patterns_max, "1000", 0, 1'000'000,
       "Different wildcard destinations that each loop's sessions may subscribe to; each message "
       "to a topic is compared with all of them."},
      {"broker_queues_max", &Config::broker_queues_max, "10000", 1, 10'000'000,
       "Queues in all: those with messages or consumers."},
      {"broker_queue_messages_max", &Config::broker_queue_messages_max, "10000", 1, 10'000'000,
       "Messages in one queue, those that consumers hold included."},
      {"broker_queue_bytes_max", S::Bytes{&Config::broker_queue_bytes_max}, "16MiB", kKiB, 3 * kGiB,
       "Memory of the messages in one queue."},
      {"broker_bytes_max", S::Bytes{&Config::broker_bytes_max}, "256MiB", kKiB, 3 * kGiB,
       "Memory of all messages that the broker has anywhere, open transactions included."},
      {"broker_prefetch_max", &Config::broker_prefetch_max, "100", 1, 10'000,
       "Messages of a queue that one consumer may hold unacknowledged."},
      {"broker_prefetch_bytes_max", S::Bytes{&Config::broker_prefetch_bytes_max}, "256KiB", 1, kGiB,
       "A consumer is given no further message of a queue while it holds so much."},
      {"broker_redeliveries_max", &Config::broker_redeliveries_max, "16", 0, 1'000'000,
       "How often a message of a queue is given again, after NACK or the loss of its consumer, "
       "before it is dropped."},
      // Chat.
      {"message_bytes_max", S::Bytes{&Config::message_bytes_max}, "64KiB", 1, kMiB,
       "Longest message, in bytes of UTF-8."},
      {"room_name_length_max", &Config::room_name_length_max, "60", 1, 1000,
       "Longest name of a room, in characters."},
      {"room_topic_length_max", &Config::room_topic_length_max, "120", 0, 1000,
       "Longest topic of a room, in characters; 0: none may be given."},
      {"rooms_max", &Config::rooms_max, "10000", 0, kRooms, "Open rooms in all."},
      {"rooms_per_identity_max", &Config::rooms_per_identity_max, "100", 0, kBillion,
       "Open rooms that one identity may make."},
      {"room_search_max", &Config::room_search_max, "10000", 1, 1'000'000,
       "Newest open rooms that a search looks through; they are in memory from the first search "
       "on."},
      {"direct_rooms_max", &Config::direct_rooms_max, "1000000", 0, kRooms,
       "Private rooms in all."},
      {"direct_rooms_per_identity_max", &Config::direct_rooms_per_identity_max, "1000", 0, kBillion,
       "Private rooms that one identity may open."},
      {"page_size_max", &Config::page_size_max, "100", 1, 1000,
       "Most entries of one page of history or rooms; a larger `limit` is clamped."},
      {"page_size_default", &Config::page_size_default, "50", 1, 1000,
       "Entries of a page when no `limit` is given."},
      {"page_bytes_max", S::Bytes{&Config::page_bytes_max}, "1MiB", kKiB, 64 * kMiB,
       "Longest page of history; one with longer messages holds fewer of them, at least one."},
      {"page_cache_bytes_max", S::Bytes{&Config::page_cache_bytes_max}, "64MiB", 0, 3 * kGiB,
       "Memory for the newest page_size_max messages of the rooms read last; 0B: none is kept."},
      {"page_cache_rooms_max", &Config::page_cache_rooms_max, "10000", 1, 10'000'000,
       "Most rooms of which the newest messages are in memory."},
      {"durability", S::Choice{&Config::durability, kDurabilities}, "commit", 0, 0,
       "What an acknowledged message survives: `commit` the death of the process, `fsync` the loss "
       "of power as well, for one fsync a commit."},
      {"history_replay_max", &Config::history_replay_max, "1000", 1, 1'000'000,
       "Most missed messages that a SUBSCRIBE with `since` is sent; beyond it the client pages."},
      {"message_key_lifetime", S::Duration{&Config::message_key_lifetime_ms}, "2d", kDay,
       365 * kDay, "How long a message-key makes a second try harmless."},
      {"presence_interval", S::Duration{&Config::presence_interval_ms}, "1s", 10, kMinute,
       "Least time between two broadcasts of the number of connected people, and of what changed "
       "among the people of a room."},
      {"presence_names_max", &Config::presence_names_max, "50", 0, 1000,
       "Most people named in one change of a room; when more came and went, only their number is "
       "told."},
      {"typing_max", &Config::typing_max, "8", 0, 1000,
       "Most people of a room that are told to be typing."},
      {"typing_lifetime", S::Duration{&Config::typing_lifetime_ms}, "6s", 100, kMinute,
       "How long somebody counts as typing after he said so."},
      // Bounds of connections and rates.
      {"connections_max", &Config::connections_max, "0", 0, 100'000'000,
       "Open connections in all; 0 means what the descriptor limit allows."},
      {"connections_per_address_max", &Config::connections_per_address_max, "256", 1, 100'000'000,
       "Open connections from one address."},
      {"sockjs_sessions_max", &Config::sockjs_sessions_max, "100000", 1, 100'000'000,
       "SockJS sessions over HTTP in all."},
      {"sockjs_sessions_per_address_max", &Config::sockjs_sessions_per_address_max, "256", 1,
       100'000'000, "SockJS sessions over HTTP from one address."},
      {"sockjs_session_id_bytes_min", &Config::sockjs_session_id_bytes_min, "1", 1, 256,
       "Shortest id of a SockJS session over HTTP. 26 insists on some 128 bits of the alphabet "
       "that "
       "sockjs-client draws from; its own default has 8 characters, so clients must then set "
       "`sessionId`."},
      {"accepts_per_turn_max", &Config::accepts_per_turn_max, "64", 1, 65536,
       "Connections one event loop accepts before it serves those already there."},
      {"subscriptions_per_session_max", &Config::subscriptions_per_session_max, "64", 1, 65536,
       "Subscriptions one session may hold."},
      {"send_rate_max", &Config::send_rate_max, "20", 1, 1'000'000,
       "Messages one identity may send a second, on average."},
      {"send_burst_max", &Config::send_burst_max, "60", 1, 1'000'000,
       "Messages one identity may send at once after a pause."},
      {"sends_in_flight_max", &Config::sends_in_flight_max, "1024", 1, 1'000'000,
       "Messages of one session that may wait for the store; then its input pauses."},
      {"transactions_per_session_max", &Config::transactions_per_session_max, "8", 1, 1000,
       "Transactions one session may have open."},
      {"transaction_messages_max", &Config::transaction_messages_max, "256", 1, 65536,
       "Messages of one transaction; at most store_queue_max."},
      {"transaction_bytes_max", S::Bytes{&Config::transaction_bytes_max}, "1MiB", 1, 64 * kMiB,
       "Texts of all messages in a session's open transactions together; of the broker's also "
       "their "
       "headers and an overhead of half a KiB each."},
      {"send_rate_per_address_max", &Config::send_rate_per_address_max, "200", 1, 1'000'000,
       "Messages that all sessions of one address may send a second, on average."},
      {"send_burst_per_address_max", &Config::send_burst_per_address_max, "600", 1, 1'000'000,
       "Messages that all sessions of one address may send at once after a pause."},
      {"frame_rate_max", &Config::frame_rate_max, "200", 1, 1'000'000,
       "STOMP frames a session may send a second, on average; a faster one is read later."},
      {"frame_burst_max", &Config::frame_burst_max, "1000", 1, 1'000'000,
       "STOMP frames a session may send at once after a pause."},
      {"request_rate_max", &Config::request_rate_max, "50", 1, 1'000'000,
       "HTTP requests an address may make a second, on average (static files not counted)."},
      {"request_burst_max", &Config::request_burst_max, "200", 1, 1'000'000,
       "HTTP requests an address may make at once after a pause."},
      // Bounds of sizes and queues.
      {"http_target_bytes_max", S::Bytes{&Config::http_target_bytes_max}, "4KiB", 256, 64 * kKiB,
       "Longest path with query of a request (else 414)."},
      {"http_header_bytes_max", S::Bytes{&Config::http_header_bytes_max}, "16KiB", kKiB, kMiB,
       "Longest request line and header block (else 431)."},
      {"http_body_bytes_max", S::Bytes{&Config::http_body_bytes_max}, "64KiB", 256, 64 * kMiB,
       "Longest body of a request (else 413)."},
      {"websocket_message_bytes_max", S::Bytes{&Config::websocket_message_bytes_max}, "1MiB",
       4 * kKiB, 64 * kMiB,
       "Longest WebSocket message (else close code 1009), and body of xhr_send (else 413)."},
      {"websocket_fragments_max", &Config::websocket_fragments_max, "1024", 1, 1'000'000,
       "Most fragments of one WebSocket message."},
      {"websocket_control_rate_max", &Config::websocket_control_rate_max, "50", 1, 1'000'000,
       "Pings and pongs a client may send a second, and at once after a pause (else close code "
       "1008)."},
      {"websocket_deflate", &Config::websocket_deflate, "true", 0, 0,
       "Whether permessage-deflate is offered to WebSocket clients that ask for it."},
      {"websocket_deflate_bytes_min", S::Bytes{&Config::websocket_deflate_bytes_min}, "512B", 1,
       kMiB, "Room messages whose JSON is shorter are sent as they are."},
      {"sockjs_response_bytes_max", S::Bytes{&Config::sockjs_response_bytes_max}, "128KiB", kKiB,
       kGiB, "A streamed SockJS answer ends after so many bytes; its client asks for the next."},
      {"stomp_headers_max", &Config::stomp_headers_max, "64", 8, 1000,
       "Most header lines of one STOMP frame."},
      {"stomp_header_bytes_max", S::Bytes{&Config::stomp_header_bytes_max}, "16KiB", kKiB, kMiB,
       "Longest command and headers of one STOMP frame."},
      {"stomp_body_bytes_max", S::Bytes{&Config::stomp_body_bytes_max}, "512KiB", kKiB, 16 * kMiB,
       "Longest body of one STOMP frame. A message is JSON there, which may take six bytes for "
       "one."},
      {"outbox_bytes_max", S::Bytes{&Config::outbox_bytes_max}, "1MiB", 64 * kKiB, kGiB,
       "Bytes that may wait for one slow connection before it is closed. Who resumes is sent a "
       "quarter of it at once."},
      {"outbox_time_max", S::Duration{&Config::outbox_time_max_ms}, "30s", 100, kHour,
       "How long bytes may wait for one slow connection before it is closed."},
      {"store_queue_max", &Config::store_queue_max, "65536", 1, 10'000'000,
       "Messages that may wait for the store before senders get SERVER_OVERLOAD."},
      {"store_batch_max", &Config::store_batch_max, "1024", 1, 65536,
       "Most messages of one commit."},
      {"store_log_bytes_max", S::Bytes{&Config::store_log_bytes_max}, "256MiB", kMiB, 3 * kGiB,
       "Log of commits (the -wal file) from which on a commit waits until it is in the database; "
       "at each quarter of it it is brought there beside the commits."},
      {"postgres_connections_max", &Config::postgres_connections_max, "4", 2, 64,
       "Connections to PostgreSQL: one writes, as one commit takes all that waits; each other "
       "reads, "
       "on a thread of its own. Event loops wait for none, so few are enough, and each costs the "
       "database a process."},
      {"read_queue_max", &Config::read_queue_max, "4096", 1, 10'000'000,
       "Reads (history, rooms) that may wait for the store before they get SERVER_OVERLOAD."},
      {"room_cache_max", &Config::room_cache_max, "10000", 16, 10'000'000,
       "Rooms each event loop keeps in memory."},
      // Times.
      {"request_timeout", S::Duration{&Config::request_timeout_ms}, "10s", 100, kHour,
       "Time for a request to arrive whole, from its first byte (the first one: from the accept)."},
      {"keep_alive_timeout", S::Duration{&Config::keep_alive_timeout_ms}, "60s", 100, kHour,
       "How long an HTTP connection may wait for its next request."},
      {"connect_timeout", S::Duration{&Config::connect_timeout_ms}, "10s", 100, kHour,
       "Time from the WebSocket upgrade, or the TCP connection, to the STOMP CONNECT."},
      {"heart_beat_interval", S::Duration{&Config::heart_beat_interval_ms}, "25s", 100, kHour,
       "STOMP heart-beats that the server offers and asks for."},
      {"heart_beat_pings", &Config::heart_beat_pings, "true", 0, 0,
       "Whether a client whose STOMP heart-beat is late is asked by a WebSocket ping first, as "
       "browsers slow the timers of hidden pages down; false: it is closed after two intervals, "
       "unless it asked for longer ones than the server's."},
      {"ping_interval", S::Duration{&Config::ping_interval_ms}, "30s", 100, kHour,
       "WebSocket pings to a client that agreed to no heart-beats; no answer by the next: closed. "
       "Whatever a client agreed to, it is asked after this or two `heart_beat_interval`, "
       "whichever is longer. Over TCP the kernel asks (keepalive)."},
      {"sockjs_heart_beat_interval", S::Duration{&Config::sockjs_heart_beat_interval_ms}, "25s",
       100, kHour, "Time between the SockJS heart-beats of an open request or WebSocket."},
      {"sockjs_disconnect_delay", S::Duration{&Config::sockjs_disconnect_delay_ms}, "5s", 100,
       kHour, "How long a SockJS session waits for its client's next request before it ends."},
      {"close_timeout", S::Duration{&Config::close_timeout_ms}, "5s", 100, kHour,
       "How long a closing connection may take to read the rest and to answer the close."},
      {"restart_spread", S::Duration{&Config::restart_spread_ms}, "3s", 0, kHour,
       "Clients that a SIGTERM sends away are told to come back at a moment within this time."},
      {"shutdown_timeout", S::Duration{&Config::shutdown_timeout_ms}, "10s", 100, kHour,
       "How long the end after a SIGTERM takes at most. What was accepted is stored and delivered; "
       "clients are told to go when 2 s of it are left, or half of it if that is less, and what is "
       "not stored when it is over is given up, without a receipt."},
      {"store_lock_timeout", S::Duration{&Config::store_lock_timeout_ms}, "5s", 0, 60'000,
       "How long a commit waits for another process that holds the database; then its messages, "
       "and "
       "those after it, are refused until it lets go."},
      {"postgres_timeout", S::Duration{&Config::postgres_timeout_ms}, "5s", 100, kMinute,
       "How long a call waits for PostgreSQL, or for a broken connection to be made again; then it "
       "fails, and those after it at once until one works."},
      {"slow_turn", S::Duration{&Config::slow_turn_ms}, "100ms", 1, kHour,
       "Turns of an event loop that take longer are counted and logged."},
  };
  return settings;
}

}  // namespace rtc
