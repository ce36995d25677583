import Bindings

let interpreter = try Interpreter()
try interpreter.run("print(mt.version, ...)", name: "=test", arguments: ["x"])
