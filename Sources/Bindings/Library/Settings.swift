import Runtime

extension Parameter {
    /// An option for a setting of a model or an optimizer.
    convenience init(_ setting: SettingDescription, help: String? = nil) {
        let kind: Kind =
            switch setting.range {
            case .factor, .fraction: .number(.fraction)
            case .epsilon: .number(.epsilon)
            case .base: .number(.base)
            case .decay: .number(.decay)
            case .norm: .number(.norm)
            case .flag: .boolean
            case .count(let range): .integer(IntegerKind.count.within(range))
            case .size(let range): .integer(IntegerKind.size.within(range))
            case .choice(let names): .choice(names)
            }
        self.init(setting.name, kind, help ?? setting.help)
    }
}

extension Settable {
    /// The same with the settings that a table of options gives.
    func changed(by options: Options) throws -> Self {
        var result = self
        for setting in descriptions where options.has(setting.name) {
            let value: Double =
                switch setting.range {
                case .flag: try options.boolean(setting.name) ? 1 : 0
                case .count, .size: Double(try options.integer(setting.name))
                case .choice(let names):
                    Double(names.firstIndex(of: try options.string(setting.name)) ?? 0)
                default: try options.number(setting.name)
                }
            result = try result.setting(setting.name, value)
        }
        return result
    }
}
