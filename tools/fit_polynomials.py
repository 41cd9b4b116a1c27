"""Fit the polynomials of csrc/kernels and print their coefficients, rounded to float and to double.

The Remez exchange finds the polynomial whose largest weighted error is least: with d + 1 coefficients that error is
reached, with alternating sign, at d + 2 points. Solve for the polynomial through such points, move the points to the
extrema of the new error, repeat. Source: E. Ya. Remez, Comptes Rendus 198 (1934) 2063; J.-M. Muller, "Elementary
Functions", 3rd ed. (2016), on minimax approximation.

Usage: python tools/fit_polynomials.py   (needs mpmath)
"""

from collections.abc import Callable

from mpmath import cos, erfc, exp, factorial, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sin, sqrt, tanh

Function = Callable[[mpf], mpf]


def remez(f: Function, weight: Function, low: mpf, high: mpf, degree: int) -> tuple[list[mpf], mpf]:
    """Return the coefficients (constant first) of the best polynomial and max |weight * (f - polynomial)|."""
    count = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / count) for i in range(count)]
    grid = [low + (high - low) * i / (100 * count) for i in range(100 * count + 1)]
    for _ in range(30):
        rows = [[x**j for j in range(degree + 1)] + [(-1) ** i / weight(x)] for i, x in enumerate(points)]
        solution = lu_solve(matrix(rows), matrix([f(x) for x in points]))
        coefficients = list(solution)[: degree + 1]
        errors = [(weight(x) * (f(x) - polyval(coefficients[::-1], x)), x) for x in sorted(grid + points)]
        points = alternating_extrema(errors, count)
        if max(abs(e) for e, _ in errors) < abs(solution[degree + 1]) * mpf("1.0001"):
            break
    return coefficients, max(abs(e) for e, _ in errors)


def alternating_extrema(errors: list[tuple[mpf, mpf]], count: int) -> list[mpf]:
    """Return the points of the largest errors of alternating sign, `count` of them."""
    extrema: list[tuple[mpf, mpf]] = []
    for error, x in errors:
        if extrema and error * extrema[-1][0] > 0:
            if abs(error) > abs(extrema[-1][0]):
                extrema[-1] = (error, x)
        elif error != 0:
            extrema.append((error, x))
    while len(extrema) > count:  # an end is dropped so that the signs go on alternating
        extrema.pop(0 if abs(extrema[0][0]) < abs(extrema[-1][0]) else -1)
    return [x for _, x in extrema]


def exp_tail(r: mpf) -> mpf:
    """P of e^r = 1 + r + r^2 P(r)."""
    return sum(r**k / factorial(k + 2) for k in range(40))


def log_tail(z: mpf) -> mpf:
    """Q of log((1 + s) / (1 - s)) = 2 s + s z Q(z), z = s^2."""
    return sum(2 * z**k / (2 * k + 3) for k in range(40))


def tanh_tail(z: mpf) -> mpf:
    """S of tanh(h) = h + h z S(z), z = h^2."""
    h = sqrt(z)
    return -mpf(1) / 3 if z == 0 else (tanh(h) / h - 1) / z


# Of the transformed variable below: a larger one needs fewer terms, a smaller one rounds less.
CENTER = mpf(4)


def normal_tail(t: mpf) -> mpf:
    """R of (a + c) e^(a^2 / 2) erfc(a / sqrt 2) / 2 = R(t), t = (a - c) / (a + c), c = CENTER."""
    a = CENTER * (1 + t) / (1 - t)
    return (a + CENTER) * exp(a * a / 2) * erfc(a / sqrt(2)) / 2


def sine(z: mpf) -> mpf:
    """P of sin(2 pi s) = s P(z), z = s^2."""
    return 2 * pi if z == 0 else sin(2 * pi * sqrt(z)) / sqrt(z)


def show(name: str, coefficients: list[mpf], error: mpf, digits: int) -> None:
    """Print a C++ initializer; 9 digits name a float, 17 a double."""
    print(f"{name}: largest relative error 2^{nstr(log(error, 2), 4)}")
    print("  {" + ", ".join(nstr(c, digits) for c in coefficients) + "}")


def main() -> None:
    """Print every table of simd/math.h and simd/normal.h, and that of noise.kernel.cpp."""
    mp.prec = 200
    r = log(2) / 2 * mpf("1.0001")  # n = round(x / ln 2) may be off by a rounding error
    f = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2  # 1 + f in [sqrt(1/2), sqrt(2)], s = f / (2 + f)
    h = (r / 2) ** 2
    # The weights make the error relative to the function; the small addends keep them away from 0.
    for number, digits, exp_degree, log_degree, tanh_degree in (("float", 9, 4, 2, 2), ("double", 17, 9, 6, 5)):
        show(f"{number} exp", *remez(exp_tail, lambda x: x**2 * exp(-x) + r**2 / 50, -r, r, exp_degree), digits)
        show(f"{number} log", *remez(log_tail, lambda z: z / 2 + f / 100, mpf(0), f, log_degree), digits)
        show(f"{number} tanh", *remez(tanh_tail, lambda z: z + h / 100, mpf(0), h, tanh_degree), digits)
    # Up to where even a e^(-a^2 / 2) rounds to 0.
    for number, digits, end, degree in (("float", 9, mpf("14.7"), 10), ("double", 17, mpf("38.7"), 23)):
        top = (end - CENTER) / (end + CENTER)
        show(f"{number} tail", *remez(normal_tail, lambda t: 1 / normal_tail(t), mpf(-1), top, degree), digits)
    show("double sine", *remez(sine, lambda z: 1 / sine(z), mpf(0), mpf(1) / 16, 8), 17)
    mp.prec = 120
    for number, bits in (("float", 15), ("double", 41)):  # few bits: n * high is exact for every exponent n
        high = mpf(int(log(2) * 2**bits)) / 2**bits
        print(f"{number} ln 2 = {nstr(high, 20)} + {nstr(log(2) - high, 20)}")


if __name__ == "__main__":
    main()
