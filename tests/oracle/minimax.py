"""The polynomials of include/ebb/device/math.hpp: prints their coefficients and errors.

Best approximations in the sense of Chebyshev by Remez' exchange, in 45 decimal digits; only Python's
own library is needed."""

from decimal import Decimal as D, getcontext
import math

getcontext().prec = 45
PI = D("3.14159265358979323846264338327950288419716939937510582")


def solved(a, b):
    """x with a x = b, by elimination with partial pivoting."""
    n = len(b)
    for i in range(n):
        p = max(range(i, n), key=lambda r: abs(a[r][i]))
        a[i], a[p], b[i], b[p] = a[p], a[i], b[p], b[i]
        for r in range(i + 1, n):
            factor = a[r][i] / a[i][i]
            for c in range(i, n):
                a[r][c] -= factor * a[i][c]
            b[r] -= factor * b[i]
    x = [D(0)] * n
    for i in reversed(range(n)):
        x[i] = (b[i] - sum(a[i][c] * x[c] for c in range(i + 1, n))) / a[i][i]
    return x


def at(c, x):
    value = D(0)
    for k in reversed(c):
        value = value * x + k
    return value


def remez(f, weight, low, high, degree, grid=600, rounds=12):
    """c that makes the largest |weight(x) (sum c_k x^k - f(x))| on [low, high] smallest, and that."""
    n = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * D(math.cos(math.pi * (k + 0.5) / n)) for k in range(n)]
    xs = [middle - half * D(math.cos(math.pi * k / grid)) for k in range(grid + 1)]
    for _ in range(rounds):
        rows = [[x**k for k in range(n - 1)] + [(-1) ** i / weight(x)] for i, x in enumerate(points)]
        c = solved(rows, [f(x) for x in points])[:-1]
        error = [weight(x) * (at(c, x) - f(x)) for x in xs]
        peaks, start = [], 0  # the largest error of each run of one sign
        for i in range(1, grid + 2):
            if i > grid or (error[i] > 0) != (error[start] > 0):
                peaks.append(max(range(start, i), key=lambda k: abs(error[k])))
                start = i
        while len(peaks) > n:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        if len(peaks) < n:
            break
        points = [xs[j] for j in peaks]
    return c, max(abs(e) for e in error)


def show(what, c, error):
    print(f"{what}: error {float(error) * 2**24:.3f} 2^-24")
    for k, value in enumerate(c):
        print(f"  {float(value):.9g} x^{k}")


# e^r = 1 + r + r^2 q(r), relative
half_log2 = D(2).ln() / 2 * D("1.01")
show("exp", *remez(lambda r: (r.exp() - 1 - r) / (r * r) if r else D("0.5"),
                   lambda r: r * r / r.exp() + D("1e-9"), -half_log2, half_log2, 4))

# log(1 + f) = f - f^2 / 2 + f^3 q(f), relative
show("log", *remez(lambda f: ((1 + f).ln() - f + f * f / 2) / f**3 if abs(f) > D("1e-12") else D(1) / 3,
                   lambda f: f * f + D("1e-6"), D("0.5").sqrt() - 1, D(2).sqrt() - 1, 7))


def log_scaled_erfc(t):
    """log(erfc(t) e^(t^2)): by the series of erf near zero, by Laplace's continued fraction beyond."""
    if t < 3:
        term = total = t
        n = 0
        while abs(term) > D("1e-44"):
            n += 1
            term = term * 2 * t * t / (2 * n + 1)
            total += term
        return ((t * t).exp() - 2 / PI.sqrt() * total).ln()
    v = t
    for k in range(400, 0, -1):
        v = t + D(k) / 2 / v
    return -(v * PI.sqrt()).ln()


# erfc(t) = u e^(-t^2 + p(u)) with u = 1 / (1 + t / 2), for t up to 14, absolute (that is, relative
# in erfc)
show("erfc", *remez(lambda u: log_scaled_erfc(2 * (1 / u - 1)) - u.ln(), lambda u: D(1), D("0.12"), D(1), 9))
