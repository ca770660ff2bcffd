# The page and the command in one image; the index and the data of the page's users are in the volume /data.
FROM python:3.11-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY index index
COPY rag rag
COPY eval eval
COPY ui ui
RUN pip install --no-cache-dir --constraint constraints.txt . \
 && useradd --create-home --uid 1000 abstractqa \
 && install -d -o abstractqa /data
USER abstractqa
ENV ABSTRACTQA_STORE=/data/store ABSTRACTQA_DATA=/data
VOLUME /data
EXPOSE 7860
CMD ["abstractqa", "ui", "--sample", "--host", "0.0.0.0"]
