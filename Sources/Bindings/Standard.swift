extension Library {
    /// Everything that scripts see.
    public static var standard: Library { core }
}
