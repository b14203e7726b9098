#include "stomp.hpp"

#include <algorithm>
#include <cstdlib>

namespace load::stomp {

std::string frame(std::string_view command, const Headers& headers, std::string_view body) {
  std::string out(command);
  out += '\n';
  for (const auto& [name, value] : headers) {
    out += name;
    out += ':';
    out += value;
    out += '\n';
  }
  if (!body.empty()) out += "content-length:" + std::to_string(body.size()) + '\n';
  out += '\n';
  out += body;
  out += '\0';
  return out;
}

std::string_view header(std::string_view frame, std::string_view name) {
  std::size_t begin = frame.find('\n');
  while (begin != std::string_view::npos) {
    frame.remove_prefix(begin + 1);
    const std::string_view line = frame.substr(0, frame.find('\n'));
    if (line.empty()) break;
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return line.substr(name.size() + 1);
    }
    begin = frame.find('\n');
  }
  return {};
}

std::string_view command(std::string_view frame) {
  return frame.substr(0, frame.find_first_of("\r\n"));
}

std::string connect_frame(const Options& options, std::string_view token) {
  const std::string beat = std::to_string(options.heart_beat_ms);
  Headers headers{{"accept-version", "1.2"}, {"heart-beat", beat + ',' + beat}};
  for (const auto& [name, value] : options.connect_headers) {
    headers.emplace_back(name, expand(value, "{token}", token));
  }
  return frame("CONNECT", headers);
}

std::uint32_t beats_wanted_ms(const Options& options, std::string_view connected) {
  const std::string_view beats = header(connected, "heart-beat");
  const std::size_t comma = beats.find(',');
  if (options.heart_beat_ms == 0 || comma == std::string_view::npos) return 0;
  const auto wanted =
      static_cast<std::uint32_t>(std::strtoul(beats.data() + comma + 1, nullptr, 10));
  return wanted > 0 ? std::max(wanted, options.heart_beat_ms) : 0;
}

}  // namespace load::stomp
