import Runtime

extension Library {
    /// Methods of automatic differentiation.
    static var tensorGradients: [Method<Tensor>] {
        [
            Method(
                "requires_grad",
                "A leaf with the same numbers: what is computed from it remembers how, so that `backward` finds its gradient.",
                returns: "tensor",
                example: """
                    local w = mt.tensor({ 1, 2, 3 }):requires_grad()
                    local loss = (w * w):sum()
                    loss:backward()
                    print(w.grad)
                    """
            ) { tensor, call in try call.returns(tensor.requiringGradient()) },
            Method(
                "backward",
                "Adds the gradient of this number to `grad` of every leaf that it was computed from, then forgets how it was computed.",
                [
                    .object(
                        "gradient", "tensor",
                        "Weights of the elements, of this tensor's shape; needed unless it is a single number."
                    ).optional
                ],
                example: """
                    local x = mt.range(1, 3):requires_grad()
                    x:exp():backward(mt.ones(3))
                    print(x.grad)
                    """
            ) { tensor, call in
                try tensor.backward(
                    try call.object(ifPresent: "gradient"), stop: call.interpreter.session.stop)
            },
            Method(
                "detach", "The same numbers, without the memory of how they were computed.",
                returns: "tensor",
                example: "print(mt.ones(2):requires_grad():exp():detach().tracked)"
            ) { tensor, call in try call.returns(tensor.detached) },
            Method(
                "zero_grad", "Forgets the gradient of this leaf.",
                example: """
                    local x = mt.ones(2):requires_grad()
                    x:sum():backward()
                    x:zero_grad()
                    print(x.grad)
                    """
            ) { tensor, _ in tensor.clearGradient() },
        ]
    }

    static var noGrad: Function {
        Function(
            "no_grad",
            "Calls a function in which nothing remembers how it was computed. Tables among its results are copies.",
            [.function("body", "Called without arguments; it cannot yield.")],
            returns: "what the function returns",
            example: """
                local w = mt.ones(2):requires_grad()
                print(mt.no_grad(function() return (w * 2).tracked end))
                """
        ) { call in
            let body = try call.function("body")
            for result in try Tape.withoutGradients({ try body.call() }) {
                try call.returns(result)
            }
        }
    }
}
