#include "server/application.hpp"

#include "server/conformance.hpp"
#include "server/session.hpp"

namespace rtc::server {

std::unique_ptr<Application> make_application(Carries carries, Shard& shard,
                                              SessionOutput& output) {
  switch (carries) {
    case Carries::echo:
      return std::make_unique<EchoApplication>(output);
    case Carries::close:
      return std::make_unique<ClosingApplication>(output);
    case Carries::stomp:
      break;
  }
  return std::make_unique<Session>(shard, output);
}

}  // namespace rtc::server
