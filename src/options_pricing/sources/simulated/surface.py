r"""The true surface of an underlying: eSSVI, free of arbitrage by construction, moved by six factors.

Total implied variance of log-moneyness :math:`k = \log(K / F)` at maturity :math:`T` is (Gatheral and Jacquier 2014;
with a correlation that depends on maturity, Hendriks and Martini 2019)

.. math:: w(k, T) = \tfrac{\theta}{2} \left(1 + \rho\varphi k + \sqrt{(\varphi k + \rho)^2 + 1 - \rho^2}\right)

where :math:`\theta, \rho, \varphi` are functions of :math:`T` and :math:`\psi = \theta\varphi`.

* :math:`\theta(T) = \int_0^T \xi(u) du` with a forward variance that is a rising base curve times the exponential of
  the level factors, as in Bergomi's models: positive, so that :math:`\theta` rises, in contango when the fast factor
  is low and inverted when it is high.
* The at-the-money skew is :math:`d\sigma/dk = -c (T + \tau)^{-\gamma}`: a power law, finite at zero; in extreme
  states it is capped, smoothly, at what the second butterfly condition allows.
* :math:`|\rho(T)|` grows with maturity, so that short smiles are the more convex ones.

No butterfly: :math:`\psi (1 + |\rho|) < 4` and :math:`\varphi \psi (1 + |\rho|) \le 4`. No calendar arbitrage:
:math:`\theta`, :math:`\psi (1 + \rho)` and :math:`\psi (1 - \rho)` do not fall and :math:`\varphi` does not rise with
maturity. The factors are bounded (`BOUNDS`), and the tests hold the four conditions over the whole box.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from options_pricing.sources.simulated.draws import Array

SKEW_POWER = 0.4
SKEW_SHIFT = 50 / 365
SKEW_OF_LEVEL = 0.5
CAP_SHARPNESS = 8
MONTH = np.array(1 / 12)
FAST_DECAY, SLOW_DECAY = 4.0, 0.5
FRONT_SCALE, HUMP_SCALE = 0.03, 0.15
RHO_SCALE = 0.35
ABSCISSAS, WEIGHTS = np.polynomial.legendre.leggauss(24)


class Factors(NamedTuple):
    """What moves a surface from day to day; arrays of one shape (or numbers), 0 being the long-run mean.

    `fast`, `slow`, `front` and `hump` are logs of forward variance: decaying within months, within years, within
    days, and largest at `HUMP_SCALE` years. `skew` is the log of the skew, `convexity` lowers the logit of
    ``|rho|`` at an unchanged at-the-money skew.
    """

    fast: Array
    slow: Array
    skew: Array
    convexity: Array
    front: Array
    hump: Array


BOUNDS = Factors(*np.array((1.8, 0.8, 0.4, 0.5, 0.15, 0.12)))


@dataclass(frozen=True)
class Smile:
    """The mean surface of an underlying.

    `calm` and `distant` are forward vols (per year) at maturity zero and far out, `rise` the years in between; `skew`
    is ``c`` above; `near_rho` and `far_rho` are ``|rho|`` at maturity zero and far out.
    """

    calm: float
    distant: float
    rise: float
    skew: float
    near_rho: float
    far_rho: float


class Slice(NamedTuple):
    """Parameters of eSSVI at each maturity; `rho` is negative."""

    theta: Array
    rho: Array
    psi: Array


def forward_variance(smile: Smile, factors: Factors, maturity: Array) -> Array:
    """Variance per year expected at `maturity` (years); `factors` and `maturity` broadcast."""
    base = smile.distant - (smile.distant - smile.calm) * np.exp(-maturity / smile.rise)
    hump = maturity / HUMP_SCALE * np.exp(1 - maturity / HUMP_SCALE)
    return base**2 * np.exp(
        factors.fast * np.exp(-FAST_DECAY * maturity)
        + factors.slow * np.exp(-SLOW_DECAY * maturity)
        + factors.front * np.exp(-maturity / FRONT_SCALE)
        + factors.hump * hump
    )


def integrated_variance(smile: Smile, factors: Factors, maturity: Array) -> Array:
    """At-the-money total variance ``theta``: the forward variance integrated from today to `maturity`.

    Gauss-Legendre in the square root of time, where the short end is smooth.
    """
    shape = np.broadcast_shapes(np.shape(factors.fast), np.shape(maturity))
    total = np.zeros(shape)
    for abscissa, weight in zip((ABSCISSAS + 1) / 2, WEIGHTS / 2, strict=True):
        total += 2 * weight * abscissa * forward_variance(smile, factors, maturity * abscissa**2)
    return maturity * total


def at_the_money_vol(smile: Smile, factors: Factors, maturity: Array) -> Array:
    """Implied vol at the forward, per year."""
    return np.sqrt(integrated_variance(smile, factors, maturity) / maturity)


def slices(smile: Smile, factors: Factors, maturity: Array) -> Slice:
    """The eSSVI parameters at each maturity (years, above zero)."""
    theta = integrated_variance(smile, factors, maturity)
    near, far = _logit(smile.near_rho), _logit(smile.far_rho)
    logit = far + (near - far) / np.sqrt(1 + maturity / RHO_SCALE) - factors.convexity
    size = 1 / (1 + np.exp(-logit))
    level = at_the_money_vol(smile, factors, MONTH) / smile.calm
    skew = smile.skew * level**SKEW_OF_LEVEL * np.exp(factors.skew) * (maturity + SKEW_SHIFT) ** -SKEW_POWER
    # With d sigma / dk = rho psi / (2 sqrt(theta T)) the second butterfly condition reads `fullness` <= 1.
    fullness = skew * np.sqrt(maturity * (1 + size)) / size
    skew /= (1 + fullness**CAP_SHARPNESS) ** (1 / CAP_SHARPNESS)
    return Slice(theta, -size, 2 * np.sqrt(theta * maturity) * skew / size)


def total_variance(slice_: Slice, log_moneyness: Array) -> Array:
    """Total implied variance ``w(k, T)``; slices and log-moneyness broadcast."""
    theta, rho, psi = slice_
    stretched = psi / theta * log_moneyness
    return theta / 2 * (1 + rho * stretched + np.sqrt((stretched + rho) ** 2 + 1 - rho**2))


def bounded(value: Array, bound: float) -> Array:
    """Squeeze a factor smoothly into (-bound, bound), leaving small values as they are."""
    return bound * np.tanh(value / bound)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
