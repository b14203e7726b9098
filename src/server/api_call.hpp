// What the HTTP calls of the chat have in common (api.cpp, api_rooms.cpp). The loop's thread only,
// except where it says so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "chat/identity.hpp"
#include "server/api.hpp"

namespace rtc::server {

struct Services;

http::Response success(std::string_view type, std::string_view response_json);
void answer(const ApiCall& call, http::Response response);

// Runs `work` on a thread of the store; its response goes back to the request's connection.
enum class StoreAccess { reads, writes };
void answer_from_store(const ApiCall& call, StoreAccess access,
                       std::function<http::Response(Services&)> work);
// Of a call of the store that failed; on a thread of the store.
http::Response store_error(Services& services, std::string_view what, const Error& error);

// The caller's identity; or nullopt, and the call was answered with a token he can use.
std::optional<chat::Identity> authenticate(const ApiCall& call);

// A room's UUID in the query.
Result<RoomId> room_parameter(const http::Request& request, std::string_view name);
// A whole number; below 1 it is 1, above page_size_max that; absent, page_size_default.
Result<std::uint32_t> limit_parameter(const ApiCall& call);

// --- api_rooms.cpp: one handler for each call
void get_rooms(const ApiCall& call);
void get_rooms_found(const ApiCall& call);
void get_room(const ApiCall& call);
void post_room(const ApiCall& call);
void get_direct_rooms(const ApiCall& call);
void post_direct_room(const ApiCall& call);

}  // namespace rtc::server
