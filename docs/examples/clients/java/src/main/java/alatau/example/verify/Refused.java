package alatau.example.verify;

/** What was shown does not hold; the message says why. */
public final class Refused extends Exception {
  public Refused(String why) {
    super(why);
  }
}
