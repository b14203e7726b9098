// The PostgreSQL schema, as the steps that lead to it. Entry i takes a database from version i to
// i + 1. Entries are only ever added at the end; a released one is fixed. Nodes of the version
// before may still run while a step is taken, so it must leave what they use.
//
// Texts are bytea: a message may hold any UTF-8, and `text` cannot hold a NUL. To read them in
// psql: convert_from(text, 'UTF8').
#pragma once

#include <span>
#include <string_view>

namespace rtc::storage {

std::span<const std::string_view> postgres_migrations();

}  // namespace rtc::storage
