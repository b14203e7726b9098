// Several posts to loops, and one turn for all of them: while one lives, what its thread posts
// wakes the loops only when it ends. Short, and one at a time in a thread.
#pragma once

#include <vector>

namespace rtc::net {

class Loop;

class PostTogether {
 public:
  PostTogether();
  ~PostTogether();
  PostTogether(const PostTogether&) = delete;
  PostTogether& operator=(const PostTogether&) = delete;

 private:
  friend class Loop;
  std::vector<const Loop*> to_wake_;
};

}  // namespace rtc::net
