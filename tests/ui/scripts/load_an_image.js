() =>
  new Promise((done) => {
    const tell = ({ violatedDirective }) => done(violatedDirective);
    document.addEventListener("securitypolicyviolation", tell);
    new Image().src = "http://127.0.0.2:9/x.png";
  })
