// Names for people who gave none: a word of our own lists and 1..99, and a name tag.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "chat/identity.hpp"

namespace rtc::auth {

enum class Language { korean, english };

// The language that Accept-Language (RFC 9110, section 12.5.4) prefers among ours, by q-values;
// Korean when it is absent or names neither.
Language preferred_language(std::string_view accept_language);

// The words to draw from: at least 150 each, all different, 2 to 24 bytes, no space, kind to all.
std::span<const std::string_view> words(Language language);

// A new random identity; `masked_address` as chat::mask_address gives it.
chat::Identity make_identity(Language language, std::string masked_address);

}  // namespace rtc::auth
