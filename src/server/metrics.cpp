#include "server/metrics.hpp"

#include <algorithm>
#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <string_view>

#include "server/shard.hpp"

namespace rtc::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
 public:
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    counter(name, help, static_cast<double>(value));
  }
  void counter(std::string_view name, std::string_view help, double value) {
    ClientMetric metric;
    metric.counter.value = value;
    add(name, help, MetricType::Counter, metric);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    ClientMetric metric;
    metric.gauge.value = value;
    add(name, help, MetricType::Gauge, metric);
  }
  // One of each loop, named by the label `loop`; `fill` sets its value.
  template <class Fill>
  void per_loop(std::string_view name, std::string_view help, MetricType type,
                const std::vector<std::unique_ptr<Shard>>& shards, Fill fill) {
    MetricFamily family = family_of(name, help, type);
    for (const auto& shard : shards) {
      ClientMetric metric;
      metric.label = {{"loop", std::to_string(shard->index())}};
      fill(metric, *shard);
      family.metric.push_back(std::move(metric));
    }
    families_.push_back(std::move(family));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void add(std::string_view name, std::string_view help, MetricType type,
           const ClientMetric& metric) {
    MetricFamily family = family_of(name, help, type);
    family.metric = {metric};
    families_.push_back(std::move(family));
  }
  static MetricFamily family_of(std::string_view name, std::string_view help, MetricType type) {
    MetricFamily family;
    family.name = "realtimechat_" + std::string(name);
    family.help = help;
    family.type = type;
    return family;
  }
  std::vector<MetricFamily> families_;
};

// Its values are told in units of `unit`.
template <class Histogram>
void fill(ClientMetric& metric, const Histogram& histogram, double unit) {
  ClientMetric::Histogram& told = metric.histogram;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    told.sample_count += histogram.count_of(i);
    const bool last = i + 1 == Histogram::kBuckets;
    const double bound = last ? std::numeric_limits<double>::infinity()
                              : static_cast<double>(Histogram::bound_of(i)) * unit;
    told.bucket.push_back({told.sample_count, bound});
  }
  told.sample_sum = static_cast<double>(histogram.sum()) * unit;
}

// What each loop is told of by itself, the label `loop`.
void add_loops(Families& out, const std::vector<std::unique_ptr<Shard>>& shards) {
  constexpr double kMicroseconds = 1e-6;
  out.per_loop("loop_deliveries_total", "Messages handed to subscribers.", MetricType::Counter,
               shards, [](ClientMetric& metric, Shard& shard) {
                 metric.counter.value = static_cast<double>(shard.figures().deliveries.load());
               });
  out.per_loop("loop_writes_total", "Gathered writes.", MetricType::Counter, shards,
               [](ClientMetric& metric, Shard& shard) {
                 metric.counter.value = static_cast<double>(shard.loop().figures().writes.load());
               });
  out.per_loop("loop_outbox_bytes", "Waiting for connections whose kernel buffer is full.",
               MetricType::Gauge, shards, [](ClientMetric& metric, Shard& shard) {
                 metric.gauge.value =
                     static_cast<double>(shard.loop().figures().queued_bytes.load());
               });
  out.per_loop("loop_turn_seconds", "Turns, without the waiting between them.",
               MetricType::Histogram, shards, [](ClientMetric& metric, Shard& shard) {
                 fill(metric, shard.loop().figures().turn_us, kMicroseconds);
               });
  out.per_loop("loop_commit_lag_seconds",
               "From the commit of a batch to when its last frames were handed to the kernel.",
               MetricType::Histogram, shards, [](ClientMetric& metric, Shard& shard) {
                 fill(metric, shard.loop().figures().lag_us, kMicroseconds);
               });
  out.per_loop("loop_messages_per_write",
               "Messages that a turn handed to one subscriber, to be written at once.",
               MetricType::Histogram, shards, [](ClientMetric& metric, Shard& shard) {
                 fill(metric, shard.hub().handed_out(), 1);
               });
  out.per_loop("loop_segments_per_write", "Segments gathered by one write.", MetricType::Histogram,
               shards, [](ClientMetric& metric, Shard& shard) {
                 fill(metric, shard.loop().figures().write_segments, 1);
               });
}

void add_store(Families& out, chat::StoreQueue& queue, const chat::LogFigures& log) {
  const chat::StoreFigures& store = queue.figures();
  out.counter("store_messages_total", "Messages stored.", store.messages.load());
  out.counter("store_repeats_total", "Retries of messages that were stored before.",
              store.repeats.load());
  out.counter("store_commits_total", "Commits of messages.", store.commits.load());
  out.counter("store_failures_total", "Messages whose commit failed.", store.failures.load());
  out.counter("store_call_failures_total", "Reads and new rooms that failed in the store.",
              queue.health().failed_calls());
  out.gauge("store_failing", "1 while the last commit of messages failed, else 0.",
            queue.health().failing() ? 1 : 0);
  out.counter("store_reads_total", "Reads of the store, those answered by the page cache too.",
              store.reads.load());
  out.counter("store_refused_total",
              "Messages and reads refused by store_queue_max or "
              "read_queue_max.",
              store.refused.load());
  out.gauge("store_messages_waiting", "Messages that wait for their commit.",
            static_cast<double>(queue.messages_waiting()));
  out.gauge("store_log_bytes", "Committed, and not yet brought from the log into the database.",
            static_cast<double>(log.bytes));
  out.counter("store_log_checkpoints_total",
              "Times that the log was brought into the database, as far as readers let it.",
              log.checkpoints);
  out.counter("store_log_checkpoint_failures_total", "Times that this failed.",
              log.checkpoint_failures);
  out.counter("store_log_waits_total", "Commits that waited for it, at store_log_bytes_max.",
              log.waits);
}

void add_server(Families& out, const chat::ServerFigures& server) {
  out.gauge("store_connections", "Open connections to the database server.",
            static_cast<double>(server.connections));
  out.counter("store_reconnects_total", "Connections made again after one was lost.",
              server.reconnects);
  out.counter("store_timeouts_total", "Calls given up after postgres_timeout.", server.timeouts);
  out.counter("store_resolved_total", "Commits whose answer was lost, and asked for afterwards.",
              server.resolved);
}

void add_pages(Families& out, const chat::PageCacheFigures& pages, const PageFlights& flights) {
  out.counter("page_cache_hits_total", "Pages of history answered from memory.", pages.hits.load());
  out.counter("page_cache_topped_up_total",
              "Newest pages of which only what other nodes had added was read.",
              pages.topped_up.load());
  out.counter("page_requests_joined_total",
              "Requests for a newest page that were answered by what another one had read.",
              flights.joined());
  out.counter("page_cache_misses_total", "Newest pages that the store had to be asked for.",
              pages.misses.load());
  out.counter("page_cache_evictions_total",
              "Rooms dropped by page_cache_bytes_max or page_cache_rooms_max.",
              pages.evictions.load());
  out.gauge("page_cache_rooms", "Rooms of which the newest messages are in memory.",
            static_cast<double>(pages.rooms.load()));
  out.gauge("page_cache_bytes", "Memory of these messages.",
            static_cast<double>(pages.bytes.load()));
}

void add_remote_pages(Families& out, const chat::RemotePageFigures& pages) {
  out.gauge("redis_pages_connected", "1 while newest pages are kept in Redis, else 0.",
            pages.connected ? 1 : 0);
  out.counter("redis_pages_found_total", "Newest pages that Redis had.", pages.found);
  out.counter("redis_pages_missing_total", "Those it had not.", pages.missing);
  out.counter("redis_pages_late_total", "Those it did not answer within redis_page_timeout.",
              pages.late);
  out.counter(
      "redis_pages_refused_total",
      "Those that were forged, broken, or made by nodes with another token_secret or store.",
      pages.refused);
  out.counter("redis_pages_kept_total", "Pages that this node kept in Redis.", pages.kept);
  out.counter("redis_pages_dropped_total",
              "Pages not kept: beyond redis_pages_bytes_max, too long, or Redis did not take them.",
              pages.dropped);
}

void add_relay(Families& out, const chat::RelayFigures& relay,
               const chat::RoomOrderFigures& order) {
  out.gauge("relay_connected", "1 while messages go to other nodes and come from them, else 0.",
            relay.connected ? 1 : 0);
  out.counter("relay_reconnects_total", "Connections to Redis or Kafka made after the first ones.",
              relay.reconnects);
  out.counter("relay_published_total", "Messages that Redis or Kafka took.", relay.published);
  out.counter("relay_dropped_total",
              "Messages not given to other nodes (…_queue_bytes_max); they read them.",
              relay.dropped);
  out.gauge("relay_waiting_bytes", "Memory of messages that wait for Redis or Kafka.",
            static_cast<double>(relay.waiting_bytes));
  out.gauge("relay_unread_bytes", "Memory of what came from Kafka and was not looked at.",
            static_cast<double>(relay.unread_bytes));
  out.counter("relay_received_total", "Messages that came from other nodes.", relay.received);
  out.counter("relay_refused_total", "Payloads that were forged, broken or of another version.",
              relay.refused);
  out.gauge("relay_rooms", "Rooms that this node follows.",
            static_cast<double>(order.rooms.load()));
  out.counter("relay_repeats_total", "Messages that came again.", order.repeats.load());
  out.counter("relay_holes_total", "Messages that came before an older one.", order.holes.load());
  out.gauge("relay_held_bytes", "Memory of messages that wait for an older one.",
            static_cast<double>(order.held_bytes.load()));
  out.counter("relay_not_held_total", "Of them, those dropped by relay_held_bytes_max.",
              order.not_held.load());
  out.counter("relay_reads_total", "Times that the store was asked for what is missing.",
              order.reads.load());
  out.counter("relay_fetched_total", "Messages that were found so.", order.fetched.load());
}

void add_live(Families& out, const chat::LiveRoomFigures& live) {
  out.gauge("live_rooms", "Rooms without history that this node follows.",
            static_cast<double>(live.rooms.load()));
  out.counter("live_received_total", "Their messages that came from other nodes.",
              live.received.load());
  out.counter("live_dropped_total", "Of them, those dropped because store_queue_max waited.",
              live.dropped.load());
  out.counter("live_doubts_total", "Times that messages of such a room may have been missed.",
              live.doubts.load());
  out.counter("live_unsure_total", "Subscriptions to them that did not wait for other nodes.",
              live.unsure.load());
}

void add_people(Families& out, const chat::SharedPresenceFigures& people) {
  out.gauge("presence_connected", "1 while the people of all nodes are known here, else 0.",
            people.connected ? 1 : 0);
  out.counter("presence_told_total", "People who came or went here, told to Redis.", people.told);
  out.gauge("presence_waiting", "Those not yet told.", static_cast<double>(people.waiting));
  out.counter("presence_starts_total", "Times that all people of this node were told to Redis.",
              people.starts);
  out.counter("presence_reads_total", "Times that Redis was asked who is in a room.", people.reads);
  out.counter("presence_refused_total",
              "What came from Redis forged, broken or of another version.", people.refused);
  out.counter("presence_nodes_removed_total",
              "Dead nodes, and lost connections of this one, whose people this node removed.",
              people.nodes_removed);
}

void add_broker(Families& out, Broker& broker) {
  const Broker::Figures figures = broker.figures();
  out.counter("broker_messages_total", "Messages that the broker took.", figures.messages);
  out.gauge("broker_queues", "Queues of the broker with messages or consumers.",
            static_cast<double>(figures.queues));
  out.gauge("broker_queue_messages", "Messages in queues, those that consumers hold included.",
            static_cast<double>(figures.queue_messages));
  out.gauge("broker_bytes", "Memory that the broker's messages count for.",
            static_cast<double>(broker.bytes()));
  out.counter("broker_redelivered_total", "Messages of queues given again.", figures.redelivered);
  out.counter("broker_dropped_total", "Messages dropped by broker_redeliveries_max.",
              figures.dropped);
}

void add_compression(Families& out, const std::vector<std::unique_ptr<Shard>>& shards) {
  const auto sum = [&](auto codec, auto figure) {
    std::uint64_t total = 0;
    for (const auto& shard : shards) total += ((*shard.*codec)().figures().*figure).load();
    return total;
  };
  using Figures = websocket::DeflateFigures;
  out.counter("deflate_messages_total",
              "Messages compressed, each once for all who hear it in one framing.",
              sum(&Shard::deflater, &Figures::messages));
  out.counter("deflate_plain_bytes_total", "Their bytes before.",
              sum(&Shard::deflater, &Figures::plain_bytes));
  out.counter("deflate_compressed_bytes_total", "Their bytes after.",
              sum(&Shard::deflater, &Figures::compressed_bytes));
  out.counter("inflate_messages_total", "Compressed messages of clients.",
              sum(&Shard::inflater, &Figures::messages));
  out.counter("inflate_compressed_bytes_total", "Their bytes as they came.",
              sum(&Shard::inflater, &Figures::compressed_bytes));
  out.counter("inflate_plain_bytes_total", "The bytes that were inflated of them.",
              sum(&Shard::inflater, &Figures::plain_bytes));
  out.counter("inflate_refused_total",
              "Of them, those that were corrupt or inflated to over websocket_message_bytes_max.",
              sum(&Shard::inflater, &Figures::refused));
}

}  // namespace

std::string metrics_text(Services& services, const chat::PageCacheFigures& pages,
                         const std::vector<std::unique_ptr<Shard>>& shards) {
  const auto sum = [&](auto member) {
    std::uint64_t total = 0;
    for (const auto& shard : shards) total += (shard->figures().*member).load();
    return total;
  };
  const auto loop_sum = [&](auto member) {
    std::uint64_t total = 0;
    for (const auto& shard : shards) total += (shard->loop().figures().*member).load();
    return total;
  };
  std::uint64_t longest_us = 0;
  for (const auto& shard : shards) {
    longest_us = std::max(longest_us, shard->loop().figures().longest_turn_us.load());
  }
  Families out;
  out.gauge("connections", "Open connections.",
            static_cast<double>(services.totals.connections.load()));
  out.gauge("sessions", "Connected STOMP sessions.",
            static_cast<double>(services.totals.sessions.load()));
  out.gauge("sockjs_sessions", "SockJS sessions over HTTP.",
            static_cast<double>(services.totals.sockjs_sessions.load()));
  out.counter("sockjs_sessions_refused_total",
              "SockJS sessions refused by sockjs_sessions_max or sockjs_sessions_per_address_max.",
              services.totals.refused_sockjs_sessions.load());
  out.counter("connections_refused_total",
              "Connections refused by connections_max or "
              "connections_per_address_max.",
              services.totals.refused_connections.load());
  out.counter("http_requests_total", "HTTP requests.", sum(&ShardFigures::http_requests));
  out.counter("http_pauses_total", "Requests put off until their client has read its answers.",
              sum(&ShardFigures::http_pauses));
  out.counter("websocket_upgrades_total", "Connections upgraded to WebSocket.",
              sum(&ShardFigures::websocket_upgrades));
  out.counter("stomp_connections_total", "Connections accepted at stomp_listen.",
              sum(&ShardFigures::stomp_connections));
  out.counter("messages_received_total", "Messages accepted from clients.",
              sum(&ShardFigures::messages_received));
  out.counter("live_messages_total", "Messages of rooms without history, of this node.",
              services.fanout.live_messages());
  out.gauge("transactions_open", "Transactions begun and neither committed nor aborted.",
            static_cast<double>(sum(&ShardFigures::transactions_open)));
  out.counter("deliveries_total", "Messages handed to subscribers.",
              sum(&ShardFigures::deliveries));
  out.counter("replay_pages_total", "Pages of missed messages sent to resuming clients.",
              sum(&ShardFigures::replay_pages));
  out.counter("refusals_total", "Errors told to a client.", sum(&ShardFigures::refusals));
  out.gauge("bans", "Bans that hold, as this node knows them.",
            static_cast<double>(services.bans.in_force.load()));
  out.counter("ban_refusals_total", "Sessions ended and calls refused because of a ban.",
              sum(&ShardFigures::ban_refusals));
  out.counter("ban_check_failures_total",
              "Times that the store could not be asked whether bans have changed.",
              services.bans.failures.load());
  out.counter("rate_limited_total", "Refusals by send_rate_max or request_rate_max.",
              sum(&ShardFigures::rate_limited));
  out.gauge("rooms_occupied", "Rooms with somebody in them or listening.",
            static_cast<double>(services.presence.rooms()));
  out.gauge("room_search_rooms", "Rooms that a search looks through, in memory.",
            static_cast<double>(services.room_search.rooms()));
  out.counter("presence_bytes_total", "Bytes of presence changes handed to sessions.",
              sum(&ShardFigures::presence_bytes));
  out.counter("slow_consumers_total", "Connections closed by outbox_bytes_max.",
              sum(&ShardFigures::slow_consumers));
  out.counter("silent_peers_total", "Sessions closed because nothing came any more.",
              sum(&ShardFigures::silent_peers));
  out.counter("loop_turns_total", "Turns of all event loops.", loop_sum(&net::LoopFigures::turns));
  out.counter("loop_busy_seconds_total", "Time that all event loops spent in turns.",
              static_cast<double>(loop_sum(&net::LoopFigures::busy_us)) / 1e6);
  out.counter("loop_slow_turns_total", "Turns over slow_turn.",
              loop_sum(&net::LoopFigures::slow_turns));
  out.gauge("loop_turn_longest_seconds", "Longest turn of an event loop since the start.",
            static_cast<double>(longest_us) / 1e6);
  out.counter("read_bytes_total", "Bytes read from connections.",
              loop_sum(&net::LoopFigures::bytes_read));
  out.counter("written_bytes_total", "Bytes written to connections.",
              loop_sum(&net::LoopFigures::bytes_written));
  out.counter("writes_total", "Gathered writes.", loop_sum(&net::LoopFigures::writes));
  add_loops(out, shards);
  add_compression(out, shards);
  add_store(out, services.store, services.messages.log());
  if (!services.config.postgres_url.empty()) add_server(out, services.messages.server());
  add_pages(out, pages, services.flights);
  if (services.broker.open()) add_broker(out, services.broker);
  if (services.order != nullptr) {
    add_relay(out, services.relay->figures(), services.order->figures());
    if (services.live != nullptr) add_live(out, services.live->figures());
  }
  if (services.remote_pages != nullptr) add_remote_pages(out, services.remote_pages->figures());
  if (services.people_of_nodes != nullptr) {
    add_people(out, services.people_of_nodes->figures());
    out.gauge("sessions_elsewhere", "Connected STOMP sessions of the other nodes.",
              static_cast<double>(services.people_of_nodes->sessions_elsewhere()));
  }
  return out.text();
}

}  // namespace rtc::server
