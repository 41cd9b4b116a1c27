// Lets predictions read the weights between two steps of a fit that is changing them.
#pragma once

#include <atomic>
#include <shared_mutex>
#include <thread>

namespace nnext::train {

class Gate {
 public:
  // For readers. Blocks while a step is under way; a fit lets waiting readers in after at most one step.
  class Reader {
   public:
    explicit Reader(Gate& gate) : gate_(gate) {
      if (gate_.mutex_.try_lock_shared()) return;
      gate_.waiting_.fetch_add(1);
      gate_.mutex_.lock_shared();
      gate_.waiting_.fetch_sub(1);
    }
    ~Reader() { gate_.mutex_.unlock_shared(); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    Gate& gate_;
  };

  // For whoever changes the weights.
  class Writer {
   public:
    explicit Writer(Gate& gate) : gate_(gate) { gate_.mutex_.lock(); }
    ~Writer() { gate_.mutex_.unlock(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Between two steps: gives way to the readers that wait now. Costs one load when there are none.
    void yield_to_readers() {
      if (gate_.waiting_.load(std::memory_order_relaxed) == 0) return;
      gate_.mutex_.unlock();
      while (gate_.waiting_.load() > 0) std::this_thread::yield();
      gate_.mutex_.lock();
    }

   private:
    Gate& gate_;
  };

 private:
  std::shared_mutex mutex_;
  std::atomic<int> waiting_{0};
};

}  // namespace nnext::train
