() =>
  [...document.querySelectorAll("*")].flatMap((element) => {
    const style = getComputedStyle(element);
    return [style.transitionDuration, style.animationDuration]
      .flatMap((all) => all.split(","))
      .filter((one) => parseFloat(one) > 0.001)
      .map(() => element.outerHTML.slice(0, 100));
  })
