// Who may read a network's parameters, and who may change them: many readers, or one writer.
//
// The two sides take turns: a writer that leaves lets in the readers that wait then, and a writer that waits keeps new
// ones out. So neither predictions without end nor a fit shut the other out.
//
// A fork waits until no writer is inside: the child has every network at a whole step. Threads that held a gate do not
// exist there, so the child finds it open, and nobody training unless that is the thread which forked.
//
// Whoever may have to wait here holds no lock of the host's; runtime/checks.h asserts it. The mutexes within are held for
// some instructions by threads that want nothing else, so a reader that leaves, or does not wait, may hold such a lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/cancel.h"

namespace nnext::runtime {

class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // For predictions. Waits while parameters are being changed: at most for one step of a fit.
  class Reader {
   public:
    explicit Reader(Gate& gate);
    // Does not wait: false where it would have to.
    Reader(Gate& gate, std::try_to_lock_t);
    ~Reader();
    explicit operator bool() const { return inside_; }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    friend class Gate;
    static Reader*& innermost();  // of this thread; the others follow by outer_
    void begin();
    Gate& gate_;
    Reader* outer_ = nullptr;
    bool inside_ = true;
  };

  // For whoever changes parameters; only for the holder of a Training. May wait for long predictions; with `cancel` it
  // polls that meanwhile, and is false when the host asks to stop. Throws std::runtime_error where it would wait for
  // its own thread: in a signal handler that runs within a prediction.
  class Writer {
   public:
    Writer(Gate& gate, Cancel* cancel);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    explicit operator bool() const { return inside_; }
    // Somebody waits who should be let in at the next whole step. Costs one load.
    bool readers_wait() const { return gate_.waiting_.load(std::memory_order_relaxed) > 0; }

   private:
    Gate& gate_;
    bool inside_;
  };

  // The right to train, which one call has at a time. Throws std::runtime_error when another has it.
  class Training {
   public:
    Training(Gate& gate, const char* operation);
    // Does not throw: false when another has it.
    Training(Gate& gate, std::try_to_lock_t) : gate_(gate), mine_(gate.begin_training()) {}
    ~Training() {
      if (mine_) gate_.trainer_.store({});
    }
    explicit operator bool() const { return mine_; }
    Training(Training&& other) noexcept : gate_(other.gate_), mine_(std::exchange(other.mine_, false)) {}
    Training(const Training&) = delete;
    Training& operator=(const Training&) = delete;

   private:
    Gate& gate_;
    bool mine_ = true;
  };

  // A fit is many such calls, with Python in between; no second one may begin before it ends. `id` is not 0. Ending a
  // fit that is not in progress does nothing.
  void begin_fit(std::uint64_t id);
  bool end_fit(std::uint64_t id);
  std::uint64_t fit() const { return fit_.load(); }  // in progress; 0: none

  // While one lives no process is forked, so that a list can be changed in one go. Whoever has it waits for no gate.
  class NoFork {
   public:
    NoFork();
    ~NoFork();
    NoFork(const NoFork&) = delete;
    NoFork& operator=(const NoFork&) = delete;
  };

  // Once true in a child that was forked while another thread trained: what that thread left behind is in no known
  // state.
  bool take_abandoned() { return abandoned_.exchange(false); }

 private:
  struct Forks;
  static constexpr std::uint32_t kWriter = 1u << 31;  // a writer is inside or waits: newcomers queue
  bool begin_training() {
    std::thread::id nobody{};
    return trainer_.compare_exchange_strong(nobody, std::this_thread::get_id());
  }
  bool enter_at_once();
  void enter_as_reader(bool before_waiting_writer);
  void leave_as_reader();
  bool enter_as_writer(Cancel* cancel);
  void leave_as_writer();
  void let_readers_in();
  bool read_by_this_thread() const;
  void forget_other_threads();

  std::atomic<std::uint32_t> state_{0};     // the number of readers inside, and kWriter
  std::atomic<std::uint32_t> waiting_{0};   // readers, who change it with the mutex held
  std::atomic<std::thread::id> trainer_{};  // who has the right to train
  std::atomic<bool> abandoned_{false};
  std::atomic<std::uint64_t> fit_{0};
  std::mutex mutex_;  // of the slow ways: somebody waits
  std::condition_variable changed_;
  bool writer_inside_ = false;
  std::thread::id waiting_writer_{};            // reads as well while it waits: the host that it polls may predict
  std::uint64_t turn_ = 0;                      // how often waiting readers were let in
  Gate *previous_ = nullptr, *next_ = nullptr;  // all gates, for forks
};

}  // namespace nnext::runtime
