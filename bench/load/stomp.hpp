// STOMP frames as the load client needs them: written whole, read by their first lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"

namespace load::stomp {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::string frame(std::string_view command, const Headers& headers, std::string_view body = {});
// The value of the first header of that name; empty without one.
std::string_view header(std::string_view frame, std::string_view name);
std::string_view command(std::string_view frame);

std::string connect_frame(const Options& options, std::string_view token);
// How often the server that answered with this CONNECTED wants to hear something; 0: never.
std::uint32_t beats_wanted_ms(const Options& options, std::string_view connected);

}  // namespace load::stomp
