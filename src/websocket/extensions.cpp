// Reads Sec-WebSocket-Extensions by the grammar of RFC 6455, section 9.1, and judges what it found.
#include "websocket/extensions.hpp"

#include <algorithm>
#include <vector>

namespace rtc::websocket {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr int kBitsMin = 8;
constexpr int kBitsMax = 15;

struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};
struct Offer {
  std::string_view name;
  std::vector<Parameter> parameters;
};

// RFC 7230, section 3.2.6.
bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() {
    skip_space();
    return text_.empty();
  }
  bool take(char wanted) {
    skip_space();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Empty when there is none.
  std::string_view token() {
    skip_space();
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_token_char);
    const std::string_view token = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(token.size());
    return token;
  }
  // A token, bare or in quotes; nullopt for anything else.
  std::optional<std::string> value() {
    const bool quoted = take('"');
    if (!quoted) {
      const std::string_view bare = token();
      return bare.empty() ? std::nullopt : std::optional(std::string(bare));
    }
    std::string value;
    while (!text_.starts_with('"')) {
      if (text_.starts_with('\\')) text_.remove_prefix(1);
      if (text_.empty() || !is_token_char(text_.front())) return std::nullopt;
      value.push_back(text_.front());
      text_.remove_prefix(1);
    }
    text_.remove_prefix(1);
    return value.empty() ? std::nullopt : std::optional(std::move(value));
  }

 private:
  void skip_space() {
    while (text_.starts_with(' ') || text_.starts_with('\t')) text_.remove_prefix(1);
  }

  std::string_view text_;
};

std::optional<Offer> read_offer(Reader& reader) {
  Offer offer{reader.token(), {}};
  if (offer.name.empty()) return std::nullopt;
  while (reader.take(';')) {
    Parameter parameter{reader.token(), std::nullopt};
    if (parameter.name.empty()) return std::nullopt;
    if (reader.take('=')) {
      parameter.value = reader.value();
      if (!parameter.value) return std::nullopt;
    }
    offer.parameters.push_back(std::move(parameter));
  }
  return offer;
}

std::optional<std::vector<Offer>> read_offers(std::string_view text) {
  std::vector<Offer> offers;
  Reader reader(text);
  while (!reader.at_end()) {
    if (reader.take(',')) continue;  // lists may have empty elements (RFC 7230, section 7)
    auto offer = read_offer(reader);
    if (!offer || !(reader.at_end() || reader.take(','))) return std::nullopt;
    offers.push_back(std::move(*offer));
  }
  return offers;
}

// "8" to "15", without a leading zero; 0 for anything else.
int window_bits(const std::string& text) {
  for (int bits = kBitsMin; bits <= kBitsMax; ++bits) {
    if (text == std::to_string(bits)) return bits;
  }
  return 0;
}

std::optional<ExtensionAnswer> accept_offer(const Offer& offer) {
  if (offer.name != kName) return std::nullopt;
  std::string answer(kName);
  answer += "; server_no_context_takeover; client_no_context_takeover";
  Deflate deflate = Deflate::full_window;
  for (const Parameter& parameter : offer.parameters) {
    const auto& [name, value] = parameter;
    const auto same = [&parameter](const Parameter& other) { return other.name == parameter.name; };
    if (std::count_if(offer.parameters.begin(), offer.parameters.end(), same) > 1) {
      return std::nullopt;
    }
    if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
      if (value) return std::nullopt;
      continue;
    }
    const bool server = name == "server_max_window_bits";
    if (!server && name != "client_max_window_bits") return std::nullopt;
    if (!server && !value) continue;  // may be told a bound; our inflater needs none
    const int bits = value ? window_bits(*value) : 0;
    if (bits == 0 || (server && bits == kBitsMin)) return std::nullopt;
    if (server && bits < kBitsMax) deflate = Deflate::small_window;
    answer.append("; ").append(name).append("=").append(std::to_string(bits));
  }
  return ExtensionAnswer{std::move(answer), deflate};
}

}  // namespace

std::optional<ExtensionAnswer> agree_extensions(std::string_view offers) {
  const auto read = read_offers(offers);
  if (!read) return std::nullopt;
  for (const Offer& offer : *read) {
    if (auto answer = accept_offer(offer)) return answer;
  }
  return ExtensionAnswer{};
}

}  // namespace rtc::websocket
