"""The memory of this process, as Linux tells it. Needs the standard library only, so that it weighs nothing itself."""

from pathlib import Path


def megabytes(field: str) -> float:
    """Return ``VmRSS``, what the process has in memory now, or ``VmHWM``, the most that it ever had; NaN elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return float("nan")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), float("nan"))


def forget_peak() -> None:
    """Have ``VmHWM`` begin again with what there is now."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return  # not Linux, or not allowed in this container: the peak is then that of the whole life
