package io.rigmesh.worker.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;

/// Python's arithmetic on ints and floats. Ints have 64 bits here; leaving them is a [Problem].
final class PyNumbers {
  private PyNumbers() {}

  static Object arithmetic(String operator, Object left, Object right) {
    if (operator.equals("/")) {
      nonZero(right);
      return Values.real(left) / Values.real(right);
    }
    if (left instanceof Double || right instanceof Double) {
      return real(operator, Values.real(left), Values.real(right));
    }
    return integer(operator, Values.integer(left), Values.integer(right));
  }

  private static Object integer(String operator, long left, long right) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(left, right);
        case "-" -> Math.subtractExact(left, right);
        case "*" -> Math.multiplyExact(left, right);
        case "//" -> {
          nonZero(right);
          yield Math.floorDivExact(left, right);
        }
        case "%" -> {
          nonZero(right);
          yield Math.floorMod(left, right);
        }
        default -> {
          if (right < 0) {
            yield Math.pow((double) left, (double) right);
          }
          yield Math.powExact(left, Math.toIntExact(right));
        }
      };
    } catch (ArithmeticException e) {
      throw new Problem("an int became too large");
    }
  }

  private static double real(String operator, double left, double right) {
    return switch (operator) {
      case "+" -> left + right;
      case "-" -> left - right;
      case "*" -> left * right;
      case "//" -> {
        nonZero(right);
        yield Math.floor(left / right);
      }
      case "%" -> {
        nonZero(right);
        double rest = left % right;
        yield rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
      }
      default -> Math.pow(left, right);
    };
  }

  private static void nonZero(Object divisor) {
    if (Values.real(divisor) == 0) {
      throw new Problem("division by zero");
    }
  }

  static Object negated(Object value) {
    if (value instanceof Double number) {
      return -number;
    }
    try {
      return Math.negateExact(Values.integer(value));
    } catch (ArithmeticException e) {
      throw new Problem("an int became too large");
    }
  }

  /// As Python's `repr` of a float: the shortest digits that give it back.
  static String repr(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String digits = shortest.unscaledValue().abs().toString();
    return (value < 0 ? "-" : "")
        + digits.charAt(0)
        + (digits.length() > 1 ? "." + digits.substring(1) : "")
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  /// A float with so many decimals, ties to even of what is stored exactly, as Python has it.
  static String fixed(double value, int decimals) {
    if (!Double.isFinite(value)) {
      return repr(value);
    }
    String text =
        new BigDecimal(Math.abs(value)).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
    return (1 / value < 0 || value < 0 ? "-" : "") + text;
  }

  /// As the filter `round`: a float with so many decimals.
  static double rounded(double value, int decimals, String method) {
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new Problem("round knows common, ceil and floor, not " + method);
        };
    return Double.isFinite(value)
        ? new BigDecimal(value).setScale(Math.clamp(decimals, -400, 400), mode).doubleValue()
        : value;
  }
}
