// Errors as values: every call that can fail for a reason its caller must handle returns Result<T>.
// Exceptions are left to start-up; a broken invariant aborts.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace rtc {

// The closed list of error kinds. Each has one name on the wire ("type" of the envelope) and one
// HTTP status; docs/wire.md lists both.
enum class ErrorCode {
  invalid_parameter,
  invalid_token,
  expired_token,
  no_token,
  forbidden_access,
  not_found,
  not_found_chatroom,
  method_not_allowed,
  payload_too_large,
  too_many_requests,
  internal_server_error,
  socket_error,
  connection_timeout,
  unauthorized_access,
  forbidden_action,
  banned,
  invalid_message_format,
  server_overload,
};

// For example "NOT_FOUND_CHATROOM". A string literal.
std::string_view error_name(ErrorCode code);
// For example 404.
unsigned http_status(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal_server_error;
  std::string message;  // one English sentence for the person who caused the error
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  Result(ErrorCode code, std::string message)
      : state_(std::in_place_index<1>, Error{code, std::move(message)}) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok(); otherwise std::get throws, which nothing catches: the program ends.
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // Only when !ok().
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}
  Result(ErrorCode code, std::string message) : error_{code, std::move(message)}, ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace rtc
