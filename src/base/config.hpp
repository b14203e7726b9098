// Every setting of the program, filled by base/load_config.hpp; settings.cpp names, bounds and
// explains each one. Made once at start-up, then read by any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace rtc {

// Times end in _ms, sizes in _bytes, whatever unit the user wrote them in.
struct Config {
  std::vector<std::string> listen;
  std::vector<std::string> stomp_listen;
  std::string data_dir;
  log::Level log_level = log::Level::info;
  std::uint32_t loops = 0;

  std::vector<std::string> allowed_origins;
  bool sockjs_cookie = false;
  bool conformance = false;
  std::vector<std::string> trusted_proxies;
  std::vector<std::string> rate_exempt;
  std::vector<std::string> metrics_allowed;
  std::string postgres_url;
  bool postgres_shared = true;
  std::string token_secret;
  std::string token_issuer;
  std::uint64_t token_lifetime_ms = 0;
  std::uint32_t bans_max = 0;
  std::uint64_t ban_check_interval_ms = 0;

  std::string redis_url;
  std::string redis_sentinel_login;
  std::string redis_ca_file;
  std::string redis_certificate_file;
  std::string redis_key_file;
  std::string redis_prefix;
  std::uint64_t redis_timeout_ms = 0;
  std::uint32_t redis_queue_bytes_max = 0;
  std::uint32_t redis_pages_bytes_max = 0;
  std::uint64_t redis_page_lifetime_ms = 0;
  std::uint64_t redis_page_timeout_ms = 0;
  std::vector<std::string> kafka_brokers;
  std::string kafka_topic;
  std::string kafka_properties;
  std::uint64_t kafka_timeout_ms = 0;
  std::uint32_t kafka_queue_bytes_max = 0;
  std::uint32_t kafka_fetch_bytes_max = 0;
  std::uint64_t relay_hole_wait_ms = 0;
  std::uint64_t relay_check_interval_ms = 0;
  std::uint32_t relay_checks_max = 0;
  std::uint32_t relay_held_bytes_max = 0;
  std::uint64_t node_lifetime_ms = 0;
  std::uint32_t presence_waiting_max = 0;

  bool broker = false;
  std::uint32_t broker_destination_bytes_max = 0;
  std::uint32_t broker_patterns_max = 0;
  std::uint32_t broker_queues_max = 0;
  std::uint32_t broker_queue_messages_max = 0;
  std::uint32_t broker_queue_bytes_max = 0;
  std::uint32_t broker_bytes_max = 0;
  std::uint32_t broker_prefetch_max = 0;
  std::uint32_t broker_prefetch_bytes_max = 0;
  std::uint32_t broker_redeliveries_max = 0;

  std::uint32_t message_bytes_max = 0;
  std::uint32_t room_name_length_max = 0;
  std::uint32_t room_topic_length_max = 0;
  std::uint32_t room_search_max = 0;
  std::uint64_t rooms_max = 0;
  std::uint64_t rooms_per_identity_max = 0;
  std::uint64_t direct_rooms_max = 0;
  std::uint64_t direct_rooms_per_identity_max = 0;
  std::uint32_t page_size_max = 0;
  std::uint32_t page_size_default = 0;
  std::uint32_t page_bytes_max = 0;
  std::uint32_t page_cache_bytes_max = 0;
  std::uint32_t page_cache_rooms_max = 0;
  std::uint32_t history_replay_max = 0;
  std::string durability;
  std::uint64_t message_key_lifetime_ms = 0;
  std::uint64_t presence_interval_ms = 0;
  std::uint32_t presence_names_max = 0;
  std::uint32_t typing_max = 0;
  std::uint64_t typing_lifetime_ms = 0;

  std::uint32_t connections_max = 0;
  std::uint32_t connections_per_address_max = 0;
  std::uint32_t sockjs_sessions_max = 0;
  std::uint32_t sockjs_sessions_per_address_max = 0;
  std::uint32_t sockjs_session_id_bytes_min = 0;
  std::uint32_t accepts_per_turn_max = 0;
  std::uint32_t subscriptions_per_session_max = 0;
  std::uint32_t send_rate_max = 0;
  std::uint32_t send_burst_max = 0;
  std::uint32_t send_rate_per_address_max = 0;
  std::uint32_t send_burst_per_address_max = 0;
  std::uint32_t frame_rate_max = 0;
  std::uint32_t frame_burst_max = 0;
  std::uint32_t sends_in_flight_max = 0;
  std::uint32_t transactions_per_session_max = 0;
  std::uint32_t transaction_messages_max = 0;
  std::uint32_t transaction_bytes_max = 0;
  std::uint32_t request_rate_max = 0;
  std::uint32_t request_burst_max = 0;

  std::uint32_t http_target_bytes_max = 0;
  std::uint32_t http_header_bytes_max = 0;
  std::uint32_t http_body_bytes_max = 0;
  std::uint32_t websocket_message_bytes_max = 0;
  std::uint32_t websocket_fragments_max = 0;
  std::uint32_t websocket_control_rate_max = 0;
  bool websocket_deflate = false;
  bool heart_beat_pings = false;
  std::uint32_t websocket_deflate_bytes_min = 0;
  std::uint32_t sockjs_response_bytes_max = 0;
  std::uint32_t stomp_headers_max = 0;
  std::uint32_t stomp_header_bytes_max = 0;
  std::uint32_t stomp_body_bytes_max = 0;
  std::uint32_t outbox_bytes_max = 0;
  std::uint64_t outbox_time_max_ms = 0;
  std::uint32_t store_queue_max = 0;
  std::uint32_t store_batch_max = 0;
  std::uint32_t store_log_bytes_max = 0;
  std::uint32_t postgres_connections_max = 0;
  std::uint32_t read_queue_max = 0;
  std::uint32_t room_cache_max = 0;

  std::uint64_t request_timeout_ms = 0;
  std::uint64_t keep_alive_timeout_ms = 0;
  std::uint64_t connect_timeout_ms = 0;
  std::uint64_t heart_beat_interval_ms = 0;
  std::uint64_t ping_interval_ms = 0;
  std::uint64_t sockjs_heart_beat_interval_ms = 0;
  std::uint64_t sockjs_disconnect_delay_ms = 0;
  std::uint64_t close_timeout_ms = 0;
  std::uint64_t restart_spread_ms = 0;
  std::uint64_t shutdown_timeout_ms = 0;
  std::uint64_t store_lock_timeout_ms = 0;
  std::uint64_t postgres_timeout_ms = 0;
  std::uint64_t slow_turn_ms = 0;

  bool several_nodes() const { return !redis_url.empty() || !kafka_brokers.empty(); }
};

}  // namespace rtc
