/// The part of the library that is written in Lua: `prelude.lua`.
enum Prelude {
    /// One chunk: the printer, then what the prompt needs; returns a table of functions.
    static var text: String { String(decoding: PackageResources.prelude_lua, as: UTF8.self) }
}
