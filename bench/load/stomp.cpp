#include "stomp.hpp"

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

}  // namespace load::stomp
