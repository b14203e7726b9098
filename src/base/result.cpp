#include "base/result.hpp"

namespace rtc {

std::string_view error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_parameter:
      return "INVALID_PARAMETER";
    case ErrorCode::invalid_token:
      return "INVALID_TOKEN";
    case ErrorCode::expired_token:
      return "EXPIRED_TOKEN";
    case ErrorCode::no_token:
      return "NO_TOKEN";
    case ErrorCode::forbidden_access:
      return "FORBIDDEN_ACCESS";
    case ErrorCode::not_found:
      return "NOT_FOUND";
    case ErrorCode::not_found_chatroom:
      return "NOT_FOUND_CHATROOM";
    case ErrorCode::method_not_allowed:
      return "METHOD_NOT_ALLOWED";
    case ErrorCode::payload_too_large:
      return "PAYLOAD_TOO_LARGE";
    case ErrorCode::too_many_requests:
      return "TOO_MANY_REQUESTS";
    case ErrorCode::internal_server_error:
      return "INTERNAL_SERVER_ERROR";
    case ErrorCode::socket_error:
      return "SOCKET_ERROR";
    case ErrorCode::connection_timeout:
      return "CONNECTION_TIMEOUT";
    case ErrorCode::unauthorized_access:
      return "UNAUTHORIZED_ACCESS";
    case ErrorCode::forbidden_action:
      return "FORBIDDEN_ACTION";
    case ErrorCode::banned:
      return "BANNED";
    case ErrorCode::invalid_message_format:
      return "INVALID_MESSAGE_FORMAT";
    case ErrorCode::server_overload:
      return "SERVER_OVERLOAD";
  }
  return "INTERNAL_SERVER_ERROR";
}

unsigned http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_parameter:
    case ErrorCode::invalid_message_format:
    case ErrorCode::socket_error:
      return 400;
    case ErrorCode::invalid_token:
    case ErrorCode::expired_token:
    case ErrorCode::no_token:
    case ErrorCode::unauthorized_access:
      return 401;
    case ErrorCode::forbidden_access:
    case ErrorCode::forbidden_action:
    case ErrorCode::banned:
      return 403;
    case ErrorCode::not_found:
    case ErrorCode::not_found_chatroom:
      return 404;
    case ErrorCode::method_not_allowed:
      return 405;
    case ErrorCode::connection_timeout:
      return 408;
    case ErrorCode::payload_too_large:
      return 413;
    case ErrorCode::too_many_requests:
      return 429;
    case ErrorCode::internal_server_error:
      return 500;
    case ErrorCode::server_overload:
      return 503;
  }
  return 500;
}

}  // namespace rtc
