// SPDX-License-Identifier: MIT
// mlp_link_load - takes loads of new weights out of the frames of a line, and leaves the requests
//
// Golden model   boards/protocol.py: load
// Stream         in and out: bytes and ends of frames, none can wait; load: a byte a beat, taken at
//                once; asked: answers to requests; answer: those, and one to each load
//
// A load is a tag with its top bit set, the core that it is for, the ID of its network, bytes for
// s_load, and a CRC-16. The bytes are passed on while they come, but three are held back, so that
// the last one leaves at the end of the frame, and only where all is well; else the reset behind
// the answer makes the core forget the others. What comes before the answer has left is dropped.

`default_nettype none

module mlp_link_load #(
    parameter LOADABLE    = 1,          // 0: every frame is a request; 0 .. 1
    parameter [31:0] CORE = 32'd0,      // what a load must be for
    parameter [31:0] ID   = 32'd0       // of the network at power-up
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        in_valid, in_end, in_bad,
    input  wire [7:0]  in_data,
    output wire        out_valid,       // it is part of a request, or an end

    input  wire        asked_busy, asked_valid,
    output wire        asked_ready,
    input  wire [7:0]  asked_status, asked_tag,
    input  wire [15:0] asked_digest,

    input  wire        core_rst,
    input  wire        expired,         // the core has not answered in its time
    output wire        load_valid, load_last,
    output wire [7:0]  load_data,
    input  wire        load_ready, load_done, load_refused,

    output wire [31:0] id,
    output wire        busy,            // from the first byte of a load to the end of its answer
    output wire        answer_valid,    // high until the answer has been sent
    input  wire        answer_ready,
    output wire [7:0]  answer_status, answer_tag,
    output wire [15:0] answer_digest
);

    localparam [7:0] DAMAGED = 8'd1, WRONG_LENGTH = 8'd2, NO_RESULT = 8'd3, LOADED = 8'd4,
                     REFUSED = 8'd5, WRONG_CORE = 8'd6;

    // Bytes of tag and core, of these and the ID, and with those that are held back.
    localparam [3:0] CORE_END = 4'd5, HEAD = 4'd9, FULL = 4'd12;
    localparam [1:0] IDLE = 2'd0, TAKE = 2'd1, WAIT = 2'd2, ANSWER = 2'd3;

    generate
        if (LOADABLE != 0) begin : g_load
            reg [1:0]   state;
            reg         begun;          // a frame has begun
            reg         ours;           // and is no request
            reg [3:0]   count;          // bytes of it, no more than FULL
            reg [7:0]   tag, status;
            reg [31:0]  number;         // of the core, then of the network
            reg         foreign;        // the load is for another core
            reg [23:0]  held;           // the last three bytes, the newest on top
            reg [15:0]  crc;
            wire [15:0] crc_next;

            wire mine    = begun ? ours : state != IDLE || (in_data[7] && !asked_busy);
            wire collect = state == TAKE || (state == IDLE && !begun);
            wire takes   = in_valid && !in_end && mine && collect;
            wire ends    = in_valid && in_end && state == TAKE;
            wire damaged = in_bad || crc != 16'd0;
            wire good    = !damaged && count == FULL && !foreign;
            wire answers = state == ANSWER;
            wire named   = status >= LOADED;

            assign out_valid   = in_valid && (in_end || !mine);
            assign load_valid  = in_end ? ends && good : takes && count == FULL;
            assign load_last   = in_end;
            assign load_data   = held[7:0];
            assign busy        = asked_busy || state != IDLE;
            assign asked_ready = answer_ready && !answers;

            // The digest is the CRC of the frame, its last two bytes.
            assign answer_valid  = asked_valid || answers;
            assign answer_status = answers ? status : asked_status;
            assign {answer_tag, answer_digest} = !answers ? {asked_tag, asked_digest}
                                               : named ? {tag, held[15:8], held[23:16]} : 24'd0;

            mlp_crc16 u_crc (.crc(crc), .data(in_data), .next(crc_next));

            always @(posedge clk) begin
                if (rst)
                    state <= IDLE;
                else
                    case (state)
                        IDLE:    if (takes) state <= TAKE;
                        TAKE:    if (ends) state <= good ? WAIT : ANSWER;
                        WAIT:    if (load_done || load_refused || expired) state <= ANSWER;
                        default: if (answer_ready) state <= IDLE;
                    endcase
            end

            always @(posedge clk) begin
                if (rst)
                    begun <= 1'b0;
                else if (in_valid)
                    begun <= !in_end;
            end

            always @(posedge clk) begin
                if (rst || (in_valid && in_end)) begin
                    count <= 4'd0;
                    crc   <= 16'hffff;
                end else if (takes) begin
                    count <= count == FULL ? count : count + 4'd1;
                    crc   <= crc_next;
                end
            end

            always @(posedge clk) begin
                if (in_valid && !begun)
                    ours <= mine;
                if (takes && count == 4'd0)
                    tag <= in_data;
                if (takes && count != 4'd0 && count < HEAD)
                    number <= {number[23:0], in_data};
                if (takes && count == CORE_END)
                    foreign <= number != CORE;
                if (takes)
                    held <= {in_data, held[23:8]};
            end

            always @(posedge clk) begin
                if (ends)
                    status <= damaged ? DAMAGED : count != FULL ? WRONG_LENGTH
                            : foreign ? WRONG_CORE : NO_RESULT;
                else if (state == WAIT && (load_done || load_refused))
                    status <= load_done ? LOADED : REFUSED;
            end

            mlp_link_id #(.ID(ID)) u_id (
                .clk(clk), .core_rst(core_rst), .given(load_valid && load_ready && load_last),
                .given_id(number), .done(load_done), .refused(load_refused), .id(id)
            );
        end else begin : g_none
            wire unused = &{1'b0, clk, rst, in_end, in_bad, in_data, core_rst, expired, load_ready,
                            load_done, load_refused};

            assign {out_valid, busy}                 = {in_valid, asked_busy};
            assign {load_valid, load_last, load_data} = 10'd0;
            assign {answer_valid, asked_ready}       = {asked_valid, answer_ready};
            assign {answer_status, answer_tag}       = {asked_status, asked_tag};
            assign {answer_digest, id}               = {asked_digest, ID};
        end
    endgenerate

endmodule

`default_nettype wire
