#include "base/random.h"

#include <cstdio>
#include <cstdlib>

namespace parley {

void start_random() {
  if (sodium_init() < 0) {
    std::fputs("parley: the operating system's random generator is not available; refusing to run without it.\n",
               stderr);
    std::abort();
  }
}

void fill_random(MutableByteView out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

}  // namespace parley
