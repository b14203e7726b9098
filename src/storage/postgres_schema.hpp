// The schema of the database: made, or brought to this program's version.
#pragma once

#include <string>

#include "base/result.hpp"
#include "storage/postgres_connection.hpp"

namespace rtc::storage {

// On a connection that is there. One node does it at a time, in one transaction; the others wait.
// Answers with the store's epoch.
Result<std::string> open_postgres_schema(PostgresConnection& connection);

}  // namespace rtc::storage
