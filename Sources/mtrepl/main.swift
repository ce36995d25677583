print("mtrepl")
