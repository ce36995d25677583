/// Whom long work asks where nobody hands it a `ShouldStop`, such as for the text of an object.
public enum Interruption {
    /// Whether to stop; never, unless somebody sets it for what they call.
    @TaskLocal public static var stop: ShouldStop = { false }
}
