// What a thread is called in top -H, ps -T, perf and a debugger.
#pragma once

#include <pthread.h>
#include <string>

namespace rtc {

// Of the calling thread; Linux keeps the first 15 bytes.
inline void name_this_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace rtc
